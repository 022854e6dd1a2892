CREATE TABLE `replay_differences` (
	`replay_id` text NOT NULL,
	`window_start` integer NOT NULL,
	`merchant_id` text NOT NULL,
	`currency` text NOT NULL,
	`verdict` text NOT NULL,
	`archived_events` integer NOT NULL,
	`stored_events` integer NOT NULL,
	`archived_amount` text NOT NULL,
	`stored_amount` text NOT NULL,
	PRIMARY KEY(`replay_id`, `window_start`, `merchant_id`, `currency`)
);
--> statement-breakpoint
CREATE TABLE `replay_passes` (
	`replay_id` text NOT NULL,
	`from_ms` integer NOT NULL,
	`slice` integer NOT NULL,
	`to_ms` integer NOT NULL,
	`equal` integer NOT NULL,
	`changed` integer NOT NULL,
	`missing` integer NOT NULL,
	`short` integer NOT NULL,
	`unarchived` integer NOT NULL,
	`events` integer NOT NULL,
	`damaged` text NOT NULL,
	`found_at` integer NOT NULL,
	PRIMARY KEY(`replay_id`, `from_ms`, `slice`)
);
--> statement-breakpoint
CREATE TABLE `replays` (
	`id` text PRIMARY KEY NOT NULL,
	`from_ms` integer NOT NULL,
	`to_ms` integer NOT NULL,
	`merchant_id` text,
	`dry_run` integer NOT NULL,
	`state` text NOT NULL,
	`next_ms` integer NOT NULL,
	`slice` integer DEFAULT 0 NOT NULL,
	`slices` integer DEFAULT 1 NOT NULL,
	`failure` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `replays_state` ON `replays` (`state`,`created_at`);