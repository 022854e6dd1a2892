-- Lines of the archive, while windows are counted from them anew. Each replay loads what it needs under its own number and never reads
-- another's; nothing is deleted but by its age, so that no more than INSERT and SELECT is asked of whoever replays.
CREATE TABLE IF NOT EXISTS archived_events
(
    replay UInt64 COMMENT 'The loading it belongs to' CODEC(ZSTD(1)),
    hour DateTime('UTC') COMMENT 'Of occurred_at' CODEC(Delta(4), ZSTD(1)),
    merchant_id String COMMENT 'Opaque, 1 to 64 characters' CODEC(ZSTD(1)),
    event_id String COMMENT 'With merchant_id the identity; the first one received counts' CODEC(ZSTD(1)),
    received_at UInt64 COMMENT 'Epoch milliseconds' CODEC(T64, ZSTD(1)),
    batch String COMMENT 'The request it came with' CODEC(ZSTD(1)),
    n UInt32 COMMENT 'Its order within the request, where the lines of one do not all stand together' CODEC(T64, ZSTD(1)),
    line UInt32 COMMENT 'Its order among the lines it was loaded with' CODEC(T64, ZSTD(1)),
    occurred_at UInt64 COMMENT 'Epoch milliseconds' CODEC(T64, ZSTD(1)),
    type LowCardinality(String) COMMENT 'payment or refund' CODEC(ZSTD(1)),
    amount UInt64 COMMENT 'Minor units' CODEC(T64, ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217' CODEC(ZSTD(1)),
    points_used UInt64 COMMENT 'Points spent' CODEC(T64, ZSTD(1)),
    points_earned UInt64 COMMENT 'Points granted' CODEC(T64, ZSTD(1)),
    user_id String COMMENT '16 hexadecimal digits of the keyed hash of the payer; empty for none' CODEC(ZSTD(1)),
    payment_method String COMMENT 'The dimensions; empty where the event has none' CODEC(ZSTD(1)),
    gender LowCardinality(String) CODEC(ZSTD(1)),
    age_band LowCardinality(String) CODEC(ZSTD(1)),
    grade LowCardinality(String) CODEC(ZSTD(1)),
    country LowCardinality(String) CODEC(ZSTD(1)),
    device LowCardinality(String) CODEC(ZSTD(1)),
    location String CODEC(ZSTD(1)),
    loaded_at DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(loaded_at)
ORDER BY (replay, hour, merchant_id, event_id)
TTL loaded_at + INTERVAL 6 HOUR
SETTINGS ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600
COMMENT 'Lines of the archive while windows are counted from them anew; gone within hours';
