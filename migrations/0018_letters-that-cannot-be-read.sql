DROP INDEX `alert_deliveries_due`;--> statement-breakpoint
CREATE INDEX `alert_deliveries_due` ON `alert_deliveries` (`due_at`,`created_at`);--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `discarded_at` integer;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `body_sha256` text;--> statement-breakpoint
ALTER TABLE `erasures` ADD `unreadable_letters` integer DEFAULT 0 NOT NULL;