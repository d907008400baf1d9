CREATE TABLE IF NOT EXISTS {database}.decisions_rows {on_cluster} (
    decision_id UUID CODEC(ZSTD(1)),
    kind LowCardinality(String) CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    app LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    policy LowCardinality(String) CODEC(ZSTD(1)),
    state LowCardinality(String) CODEC(ZSTD(1)),
    step UInt32 CODEC(ZSTD(1)),
    actor LowCardinality(String) CODEC(ZSTD(1)),
    from_version LowCardinality(String) CODEC(ZSTD(1)),
    to_version LowCardinality(String) CODEC(ZSTD(1)),
    alert_id Nullable(UUID) CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    evidence String CODEC(ZSTD(1)),
    changed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
ORDER BY (tenant, app, environment, decision_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.decisions {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.decisions_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
