CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY NOT NULL,
	`queue` text NOT NULL,
	`reason` text NOT NULL,
	`attempts` integer NOT NULL,
	`body_key` text NOT NULL,
	`body_bytes` integer NOT NULL,
	`sent_at` integer NOT NULL,
	`dead_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `dead_letters_queue` ON `dead_letters` (`queue`,`dead_at`);--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`secret_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE INDEX `keys_subject` ON `keys` (`kind`,`subject`);--> statement-breakpoint
CREATE TABLE `late_windows` (
	`merchant_id` text NOT NULL,
	`window_start` integer NOT NULL,
	`first_seen_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	PRIMARY KEY(`merchant_id`, `window_start`)
);
--> statement-breakpoint
CREATE TABLE `merchants` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`timezone` text NOT NULL,
	`currency` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sources` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`merchants` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `topology_epochs` (
	`id` integer PRIMARY KEY NOT NULL,
	`from_ms` integer NOT NULL,
	`shards` integer NOT NULL,
	`overrides` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `topology_epochs_from_ms_unique` ON `topology_epochs` (`from_ms`);--> statement-breakpoint
INSERT INTO `topology_epochs` (`id`, `from_ms`, `shards`, `overrides`) VALUES (1, 0, 64, '{}');
