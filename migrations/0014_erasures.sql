CREATE TABLE `erasures` (
	`id` text PRIMARY KEY NOT NULL,
	`user_hashes` text,
	`users` integer NOT NULL,
	`to_ms` integer NOT NULL,
	`next_ms` integer NOT NULL,
	`state` text NOT NULL,
	`events` integer DEFAULT 0 NOT NULL,
	`files` integer DEFAULT 0 NOT NULL,
	`unreadable` integer DEFAULT 0 NOT NULL,
	`failure` text,
	`retry_at` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `erasures_state` ON `erasures` (`state`,`retry_at`);