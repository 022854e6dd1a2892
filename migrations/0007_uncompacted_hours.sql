CREATE TABLE `uncompacted_hours` (
	`hour_ms` integer PRIMARY KEY NOT NULL,
	`first_noted_at` integer NOT NULL,
	`last_noted_at` integer NOT NULL,
	`failure` text,
	`retry_at` integer DEFAULT 0 NOT NULL
);
