ALTER TABLE `keys` ADD `role` text;--> statement-breakpoint
UPDATE `keys` SET `role` = 'manage' WHERE `kind` = 'merchant';
