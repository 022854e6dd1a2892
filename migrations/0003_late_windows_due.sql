ALTER TABLE `late_windows` ADD `failure` text;--> statement-breakpoint
ALTER TABLE `late_windows` ADD `retry_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `late_windows_due` ON `late_windows` (`retry_at`,`window_start`);