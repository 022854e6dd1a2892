-- What roll-ups have to follow: which days of which merchants have had windows written, and when, filled by every insert into `windows`. Sorted by
-- merchant, so that one pass over the log visits `windows` in its own order. Losing an entry costs the days it names their
-- roll-up, so reads of them take the windows: slower, and as true.
CREATE TABLE IF NOT EXISTS changed_days
(
    merchant_id String COMMENT 'As in windows' CODEC(ZSTD(3)),
    day Date COMMENT 'Day of UTC that windows were written of' CODEC(Delta(2), ZSTD(1)),
    changed_at DateTime64(3, 'UTC') COMMENT 'When an insert of them began; it may end later' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(changed_at)
PARTITION BY toDate(changed_at)
ORDER BY (merchant_id, day)
TTL toDateTime(changed_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Days of merchants whose windows were written in the last 30 days; the roll-up works it off';

CREATE MATERIALIZED VIEW IF NOT EXISTS windows_change_days TO changed_days AS
SELECT merchant_id, toDate(window_start) AS day, now64(3, 'UTC') AS changed_at
FROM windows
GROUP BY merchant_id, day;

-- What was written before the view was there. An operator may run it again to have every roll-up computed anew.
INSERT INTO changed_days SELECT DISTINCT merchant_id, toDate(window_start), now64(3, 'UTC') FROM windows;

CREATE TABLE IF NOT EXISTS roll_up_progress
(
    task LowCardinality(String) COMMENT 'What goes forward',
    position String COMMENT 'How far it is, as JSON (workers/aggregate/roll-up-pass.ts)',
    saved_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'The latest counts; an earlier one costs work that was done, no more'
)
ENGINE = ReplacingMergeTree(saved_at)
ORDER BY task
COMMENT 'How far the roll-up has worked off changed_days; read with FINAL';
