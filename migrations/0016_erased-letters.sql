ALTER TABLE `erasures` ADD `letters_after` text DEFAULT '';--> statement-breakpoint
ALTER TABLE `erasures` ADD `letters` integer DEFAULT 0 NOT NULL;