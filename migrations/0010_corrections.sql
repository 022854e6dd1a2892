CREATE TABLE `corrections` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`merchant_id` text,
	`noted_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `corrections_merchant` ON `corrections` (`merchant_id`,`seq`);