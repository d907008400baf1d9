CREATE TABLE IF NOT EXISTS {database}.windows_rows {on_cluster} (
    window_id UUID CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    app LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    metric LowCardinality(String) CODEC(ZSTD(1)),
    evaluator LowCardinality(String) CODEC(ZSTD(1)),
    evaluator_version LowCardinality(String) CODEC(ZSTD(1)),
    group LowCardinality(String) CODEC(ZSTD(1)),
    interval_seconds UInt32 CODEC(ZSTD(1)),
    window_start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    window_end DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    source_partition Int32 CODEC(ZSTD(1)),
    generation UInt32 CODEC(ZSTD(1)),
    count UInt64 CODEC(ZSTD(1)),
    not_scored UInt64 CODEC(ZSTD(1)),
    failed UInt64 CODEC(ZSTD(1)),
    labelled UInt64 CODEC(ZSTD(1)),
    weight Float64 CODEC(ZSTD(1)),
    weight_squares Float64 CODEC(ZSTD(1)),
    weighted_sum Float64 CODEC(ZSTD(1)),
    weighted_square_sum Float64 CODEC(ZSTD(1)),
    labelled_weight Float64 CODEC(ZSTD(1)),
    minimum Nullable(Float64) CODEC(ZSTD(1)),
    maximum Nullable(Float64) CODEC(ZSTD(1)),
    sketch_alpha Nullable(Float64) CODEC(ZSTD(1)),
    sketch_positive Map(Int32, Float64) CODEC(ZSTD(1)),
    sketch_negative Map(Int32, Float64) CODEC(ZSTD(1)),
    sketch_zero Float64 CODEC(ZSTD(1)),
    drift_name LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    drift_statistic Nullable(Float64) CODEC(ZSTD(1)),
    drift_p_value Nullable(Float64) CODEC(ZSTD(1)),
    drift_reference_id Nullable(String) CODEC(ZSTD(1)),
    drift_reference_version Nullable(String) CODEC(ZSTD(1)),
    drift_reference_size Nullable(Int64) CODEC(ZSTD(1)),
    drift_sample_size Nullable(Int64) CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (tenant, toDate(window_start), app, environment, metric, version, window_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.windows {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.windows_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
