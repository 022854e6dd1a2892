-- Roll-ups in the place of `hours` and `days`: all tiers in one table, so that a read of several of them is planned, which takes longer than
-- to read them, once; and months, of which five years are sixty rows (docs/decisions/0023). A row is the exact merge of its windows, always
-- computed anew from them, never added to. Whoever reads it compares `version` with the windows: what is late or was
-- overtaken by a correction is passed over, and the windows are read (workers/api/history.ts).
--
-- All columns of a part stand in one file, since a read takes all of them: fifty files would have to be opened for it. Hours have partitions of
-- a year, days and months none, so that five years of a merchant stand together, in small granules.
CREATE TABLE IF NOT EXISTS roll_ups
(
    merchant_id String COMMENT 'Opaque, 1 to 64 characters' CODEC(ZSTD(3)),
    currency LowCardinality(String) COMMENT 'ISO 4217; never added across' CODEC(ZSTD(1)),
    tier Enum8('hours' = 1, 'days' = 2, 'months' = 3) COMMENT 'Whether the row is of an hour, a day or a month of UTC' CODEC(ZSTD(1)),
    start DateTime('UTC') COMMENT 'Event time; the row is of windows that start from there until the hour, day or month is over' CODEC(Delta(4), ZSTD(1)),
    version UInt64 COMMENT 'Sum of the revisions of the windows merged: grows with every change of any of them; the highest one counts' CODEC(Delta(8), ZSTD(1)),
    revision UInt64 COMMENT 'Highest revision of the windows merged' CODEC(Delta(8), ZSTD(1)),

    payments_count UInt64 COMMENT 'Payments' CODEC(T64, ZSTD(1)),
    payments_amount UInt128 COMMENT 'Sum of payments' CODEC(ZSTD(1)),
    refunds_count UInt64 COMMENT 'Refunds' CODEC(T64, ZSTD(1)),
    refunds_amount UInt128 COMMENT 'Sum of refunds, not yet taken from payments_amount' CODEC(ZSTD(1)),
    amount_min UInt64 COMMENT 'Smallest payment; 0 when payments_count is 0' CODEC(T64, ZSTD(1)),
    amount_max UInt64 COMMENT 'Largest payment; 0 when payments_count is 0' CODEC(T64, ZSTD(1)),
    points_used UInt128 COMMENT 'Points spent' CODEC(ZSTD(1)),
    points_earned UInt128 COMMENT 'Points granted' CODEC(ZSTD(1)),

    amount_bucket Array(UInt16) COMMENT 'Log-linear histogram of payments (shared/amounts.ts): buckets that are not empty, ascending' CODEC(Delta(2), ZSTD(3)),
    amount_bucket_count Array(UInt64) COMMENT 'Payments of each amount_bucket; merge both with sumMap' CODEC(ZSTD(3)),
    customers Array(UInt16) COMMENT 'HyperLogLog (shared/customers.ts): index * 32 + rank of registers not empty, ascending; merge with groupUniqArrayArray, then keep the highest rank of each register' CODEC(Delta(2), ZSTD(3)),

    -- Payments by dimension: three arrays each, merged together with sumMap. The value '' stands for all beyond the cap of 128 values.
    by_payment_method_value Array(String) COMMENT 'By payment method: values, ascending' CODEC(ZSTD(3)),
    by_payment_method_count Array(UInt64) COMMENT 'By payment method: payments of each value' CODEC(ZSTD(3)),
    by_payment_method_amount Array(UInt128) COMMENT 'By payment method: sum of payments of each value' CODEC(ZSTD(1)),
    by_gender_value Array(String) COMMENT 'By gender of the customer: values, ascending' CODEC(ZSTD(3)),
    by_gender_count Array(UInt64) COMMENT 'By gender of the customer: payments of each value' CODEC(ZSTD(3)),
    by_gender_amount Array(UInt128) COMMENT 'By gender of the customer: sum of payments of each value' CODEC(ZSTD(1)),
    by_age_band_value Array(String) COMMENT 'By age band of the customer: values, ascending' CODEC(ZSTD(3)),
    by_age_band_count Array(UInt64) COMMENT 'By age band of the customer: payments of each value' CODEC(ZSTD(3)),
    by_age_band_amount Array(UInt128) COMMENT 'By age band of the customer: sum of payments of each value' CODEC(ZSTD(1)),
    by_grade_value Array(String) COMMENT 'By grade of the customer: values, ascending' CODEC(ZSTD(3)),
    by_grade_count Array(UInt64) COMMENT 'By grade of the customer: payments of each value' CODEC(ZSTD(3)),
    by_grade_amount Array(UInt128) COMMENT 'By grade of the customer: sum of payments of each value' CODEC(ZSTD(1)),
    by_country_value Array(String) COMMENT 'By country of the customer, ISO 3166-1 alpha-2: values, ascending' CODEC(ZSTD(3)),
    by_country_count Array(UInt64) COMMENT 'By country of the customer, ISO 3166-1 alpha-2: payments of each value' CODEC(ZSTD(3)),
    by_country_amount Array(UInt128) COMMENT 'By country of the customer, ISO 3166-1 alpha-2: sum of payments of each value' CODEC(ZSTD(1)),
    by_device_value Array(String) COMMENT 'By device: values, ascending' CODEC(ZSTD(3)),
    by_device_count Array(UInt64) COMMENT 'By device: payments of each value' CODEC(ZSTD(3)),
    by_device_amount Array(UInt128) COMMENT 'By device: sum of payments of each value' CODEC(ZSTD(1)),
    by_location_value Array(String) COMMENT 'By location of the merchant: values, ascending' CODEC(ZSTD(3)),
    by_location_count Array(UInt64) COMMENT 'By location of the merchant: payments of each value' CODEC(ZSTD(3)),
    by_location_amount Array(UInt128) COMMENT 'By location of the merchant: sum of payments of each value' CODEC(ZSTD(1)),

    computed_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When this copy was made, for operators; no query depends on it' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (tier, if(tier = 'hours', toYear(start), 0))
ORDER BY (merchant_id, currency, tier, start)
TTL start + INTERVAL 1860 DAY
SETTINGS index_granularity = 256, min_bytes_for_wide_part = 1000000000000000, min_rows_for_wide_part = 1000000000000000,
  merge_with_ttl_timeout = 2592000
COMMENT 'Windows of each merchant merged by hour, day and month of UTC; read with FINAL, and only where version is the sum of its windows'' revisions';

-- Those of windows that are not kept any more stand nowhere else.
INSERT INTO roll_ups (* EXCEPT (computed_at)) SELECT merchant_id, currency, 'hours' AS tier, * EXCEPT (merchant_id, currency, computed_at) FROM hours FINAL;
INSERT INTO roll_ups (* EXCEPT (computed_at)) SELECT merchant_id, currency, 'days' AS tier, * EXCEPT (merchant_id, currency, computed_at) FROM days FINAL;

TRUNCATE TABLE IF EXISTS hours;
TRUNCATE TABLE IF EXISTS days;

-- Has all of them computed.
INSERT INTO changed_days SELECT DISTINCT merchant_id, toDate(window_start), now64(3, 'UTC') FROM windows;
