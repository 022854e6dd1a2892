CREATE TABLE `alert_deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`alert_id` text NOT NULL,
	`type` text NOT NULL,
	`body` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`due_at` integer,
	`delivered_at` integer,
	`failed_at` integer,
	`status` integer,
	`failure` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `alert_deliveries_due` ON `alert_deliveries` (`due_at`);--> statement-breakpoint
CREATE INDEX `alert_deliveries_alert` ON `alert_deliveries` (`alert_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant_id` text,
	`name` text NOT NULL,
	`rule` text NOT NULL,
	`url` text NOT NULL,
	`secret` text NOT NULL,
	`previous_secret` text,
	`previous_until` integer,
	`remind_every_ms` integer,
	`is_enabled` integer NOT NULL,
	`disabled_reason` text,
	`due_at` integer,
	`lease` text,
	`firing_since` integer,
	`reminded_at` integer,
	`contradicted_since` integer,
	`checked_at` integer,
	`checked` text,
	`baseline` text,
	`failing_since` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `alerts_due` ON `alerts` (`due_at`);--> statement-breakpoint
CREATE INDEX `alerts_merchant` ON `alerts` (`merchant_id`,`created_at`);