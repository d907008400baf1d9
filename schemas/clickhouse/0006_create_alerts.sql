CREATE TABLE IF NOT EXISTS {database}.alerts_rows {on_cluster} (
    alert_id UUID CODEC(ZSTD(1)),
    fingerprint String CODEC(ZSTD(1)),
    rule LowCardinality(String) CODEC(ZSTD(1)),
    kind LowCardinality(String) CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    severity LowCardinality(String) CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    app LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    metric LowCardinality(String) CODEC(ZSTD(1)),
    group LowCardinality(String) CODEC(ZSTD(1)),
    summary String CODEC(ZSTD(1)),
    value Nullable(Float64) CODEC(ZSTD(1)),
    threshold Nullable(Float64) CODEC(ZSTD(1)),
    baseline_version Nullable(String) CODEC(ZSTD(1)),
    baseline_value Nullable(Float64) CODEC(ZSTD(1)),
    count UInt64 CODEC(ZSTD(1)),
    interval_seconds UInt32 CODEC(ZSTD(1)),
    first_window_start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    window_start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    window_end DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    changed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(first_window_start)
ORDER BY (tenant, toDate(first_window_start), app, environment, alert_id, state, changed_at)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.alerts {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.alerts_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
