-- A new deployment starts with eight shards, which take some thousands of requests a second between them; `npm run capacity` says when to add an epoch
-- with more. One that has keys already may have counted with sixty-four, and keeps them: the same event must go to the same shard.
UPDATE `topology_epochs` SET `shards` = 8 WHERE `id` = 1 AND NOT EXISTS (SELECT 1 FROM `keys`);
