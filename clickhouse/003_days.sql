-- Roll-up: as `hours`, by day of UTC. Spans of any zone are made of these, with hours and windows at their ends (docs/decisions/0020).
--
-- The rows that long spans are read from, so all is for reading: five years of a merchant stand together, in one partition and small granules, and
-- LZ4 unpacks them in half the time for twice the bytes, some nine for each window.
CREATE TABLE IF NOT EXISTS days
(
    merchant_id String COMMENT 'Opaque, 1 to 64 characters' CODEC(LZ4),
    currency LowCardinality(String) COMMENT 'ISO 4217; never added across' CODEC(LZ4),
    start DateTime('UTC') COMMENT 'Event time, a full day of UTC; the row is of windows that start from there until the next day' CODEC(Delta(4), LZ4),
    version UInt64 COMMENT 'Sum of the revisions of the windows merged: grows with every change of any of them; the highest one counts' CODEC(Delta(8), LZ4),
    revision UInt64 COMMENT 'Highest revision of the windows merged' CODEC(Delta(8), LZ4),

    payments_count UInt64 COMMENT 'Payments' CODEC(T64, LZ4),
    payments_amount UInt128 COMMENT 'Sum of payments' CODEC(LZ4),
    refunds_count UInt64 COMMENT 'Refunds' CODEC(T64, LZ4),
    refunds_amount UInt128 COMMENT 'Sum of refunds, not yet taken from payments_amount' CODEC(LZ4),
    amount_min UInt64 COMMENT 'Smallest payment; 0 when payments_count is 0' CODEC(T64, LZ4),
    amount_max UInt64 COMMENT 'Largest payment; 0 when payments_count is 0' CODEC(T64, LZ4),
    points_used UInt128 COMMENT 'Points spent' CODEC(LZ4),
    points_earned UInt128 COMMENT 'Points granted' CODEC(LZ4),

    amount_bucket Array(UInt16) COMMENT 'Log-linear histogram of payments (shared/amounts.ts): buckets that are not empty, ascending' CODEC(Delta(2), LZ4),
    amount_bucket_count Array(UInt64) COMMENT 'Payments of each amount_bucket; merge both with sumMap' CODEC(LZ4),
    customers Array(UInt16) COMMENT 'HyperLogLog (shared/customers.ts): index * 32 + rank of registers not empty, ascending; merge with groupUniqArrayArray, then keep the highest rank of each register' CODEC(Delta(2), LZ4),

    -- Payments by dimension: three arrays each, merged together with sumMap. The value '' stands for all beyond the cap of 128 values.
    by_payment_method_value Array(String) COMMENT 'By payment method: values, ascending' CODEC(LZ4),
    by_payment_method_count Array(UInt64) COMMENT 'By payment method: payments of each value' CODEC(LZ4),
    by_payment_method_amount Array(UInt128) COMMENT 'By payment method: sum of payments of each value' CODEC(LZ4),
    by_gender_value Array(String) COMMENT 'By gender of the customer: values, ascending' CODEC(LZ4),
    by_gender_count Array(UInt64) COMMENT 'By gender of the customer: payments of each value' CODEC(LZ4),
    by_gender_amount Array(UInt128) COMMENT 'By gender of the customer: sum of payments of each value' CODEC(LZ4),
    by_age_band_value Array(String) COMMENT 'By age band of the customer: values, ascending' CODEC(LZ4),
    by_age_band_count Array(UInt64) COMMENT 'By age band of the customer: payments of each value' CODEC(LZ4),
    by_age_band_amount Array(UInt128) COMMENT 'By age band of the customer: sum of payments of each value' CODEC(LZ4),
    by_grade_value Array(String) COMMENT 'By grade of the customer: values, ascending' CODEC(LZ4),
    by_grade_count Array(UInt64) COMMENT 'By grade of the customer: payments of each value' CODEC(LZ4),
    by_grade_amount Array(UInt128) COMMENT 'By grade of the customer: sum of payments of each value' CODEC(LZ4),
    by_country_value Array(String) COMMENT 'By country of the customer, ISO 3166-1 alpha-2: values, ascending' CODEC(LZ4),
    by_country_count Array(UInt64) COMMENT 'By country of the customer, ISO 3166-1 alpha-2: payments of each value' CODEC(LZ4),
    by_country_amount Array(UInt128) COMMENT 'By country of the customer, ISO 3166-1 alpha-2: sum of payments of each value' CODEC(LZ4),
    by_device_value Array(String) COMMENT 'By device: values, ascending' CODEC(LZ4),
    by_device_count Array(UInt64) COMMENT 'By device: payments of each value' CODEC(LZ4),
    by_device_amount Array(UInt128) COMMENT 'By device: sum of payments of each value' CODEC(LZ4),
    by_location_value Array(String) COMMENT 'By location of the merchant: values, ascending' CODEC(LZ4),
    by_location_count Array(UInt64) COMMENT 'By location of the merchant: payments of each value' CODEC(LZ4),
    by_location_amount Array(UInt128) COMMENT 'By location of the merchant: sum of payments of each value' CODEC(LZ4),

    computed_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When this copy was made, for operators; no query depends on it' CODEC(LZ4)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (merchant_id, currency, start)
SETTINGS index_granularity = 256, merge_with_ttl_timeout = 2592000
COMMENT 'Windows of each merchant merged by day of UTC; read with FINAL, and only where version is the sum of its windows'' revisions';
