CREATE TABLE `admin_log` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`request_id` text NOT NULL,
	`kind` text,
	`subject` text,
	`key_id` text,
	`is_session` integer NOT NULL,
	`method` text NOT NULL,
	`route` text NOT NULL,
	`parameters` text NOT NULL,
	`status` integer,
	`finished_at` integer
);
--> statement-breakpoint
ALTER TABLE `keys` ADD `name` text;--> statement-breakpoint
ALTER TABLE `keys` ADD `last_used_at` integer;--> statement-breakpoint
ALTER TABLE `keys` ADD `replaced_by` text;--> statement-breakpoint
CREATE INDEX `keys_created` ON `keys` (`kind`,`created_at`);