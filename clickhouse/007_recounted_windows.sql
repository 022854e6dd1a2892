-- Windows as a replay counts them from the archive, before they are compared with history and written there: those of one pass share a revision that no
-- other pass has. Gone by their age, as the lines are.
CREATE TABLE IF NOT EXISTS recounted_windows AS windows
ENGINE = MergeTree
PARTITION BY toStartOfHour(inserted_at)
ORDER BY (revision, merchant_id, currency, window_start)
TTL toDateTime(inserted_at) + INTERVAL 6 HOUR
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600
COMMENT 'Windows counted anew by a pass of a replay; gone within hours';
