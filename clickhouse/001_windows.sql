-- One row for each merchant, currency and ten-minute window: absolute state, of which the highest revision counts. A row may
-- arrive any number of times and in any order; read with FINAL.
CREATE TABLE IF NOT EXISTS windows
(
    merchant_id String CODEC(ZSTD),
    currency LowCardinality(String),
    window_start DateTime('UTC') COMMENT 'start of [start, start + 10 min), event time' CODEC(Delta, ZSTD),
    revision UInt64 COMMENT 'epoch ms of the last change, growing' CODEC(Delta, ZSTD),
    payments_count UInt64 CODEC(T64, ZSTD),
    payments_amount UInt128 COMMENT 'minor units, as every amount' CODEC(ZSTD),
    refunds_count UInt64 CODEC(T64, ZSTD),
    refunds_amount UInt128 CODEC(ZSTD),
    amount_min UInt64 COMMENT 'smallest payment, 0 when there is none' CODEC(T64, ZSTD),
    amount_max UInt64 COMMENT 'largest payment, 0 when there is none' CODEC(T64, ZSTD),
    points_used UInt128 CODEC(ZSTD),
    points_earned UInt128 CODEC(ZSTD),
    amount_bucket Array(UInt16) COMMENT 'log-linear buckets of payment amounts, ascending (shared/amounts.ts)' CODEC(ZSTD),
    amount_bucket_count Array(UInt64) CODEC(ZSTD),
    customers Array(UInt16) COMMENT 'HyperLogLog registers, index * 32 + rank, ascending (shared/customers.ts)' CODEC(ZSTD),
    by_payment_method_value Array(String) COMMENT 'payments by payment_method: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_payment_method_count Array(UInt64) CODEC(ZSTD),
    by_payment_method_amount Array(UInt128) CODEC(ZSTD),
    by_gender_value Array(String) COMMENT 'payments by gender: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_gender_count Array(UInt64) CODEC(ZSTD),
    by_gender_amount Array(UInt128) CODEC(ZSTD),
    by_age_band_value Array(String) COMMENT 'payments by age_band: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_age_band_count Array(UInt64) CODEC(ZSTD),
    by_age_band_amount Array(UInt128) CODEC(ZSTD),
    by_grade_value Array(String) COMMENT 'payments by grade: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_grade_count Array(UInt64) CODEC(ZSTD),
    by_grade_amount Array(UInt128) CODEC(ZSTD),
    by_country_value Array(String) COMMENT 'payments by country: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_country_count Array(UInt64) CODEC(ZSTD),
    by_country_amount Array(UInt128) CODEC(ZSTD),
    by_device_value Array(String) COMMENT 'payments by device: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_device_count Array(UInt64) CODEC(ZSTD),
    by_device_amount Array(UInt128) CODEC(ZSTD),
    by_location_value Array(String) COMMENT 'payments by location: values, ascending; the empty one is all beyond the 128 kept' CODEC(ZSTD),
    by_location_count Array(UInt64) CODEC(ZSTD),
    by_location_amount Array(UInt128) CODEC(ZSTD),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(window_start)
ORDER BY (merchant_id, currency, window_start);
