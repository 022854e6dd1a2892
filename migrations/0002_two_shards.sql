-- Two shards are a quarter of eight's calls and rows for the same requests; docs/decisions/0019-two-shards-to-begin-with.md. One that has keys already may have
-- counted with more, and keeps them: the same event must go to the same shard.
UPDATE `topology_epochs` SET `shards` = 2 WHERE `id` = 1 AND NOT EXISTS (SELECT 1 FROM `keys`);
