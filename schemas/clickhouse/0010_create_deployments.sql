CREATE TABLE IF NOT EXISTS {database}.deployments_rows {on_cluster} (
    deployment_id UUID CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    app LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    revision Int64 CODEC(ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    version_hash String CODEC(ZSTD(1)),
    bundle String CODEC(ZSTD(1)),
    weights Map(String, Float64) CODEC(ZSTD(1)),
    previous_version Nullable(String) CODEC(ZSTD(1)),
    deployed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    deployed_by LowCardinality(String) CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    decision_id Nullable(UUID) CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(deployed_at)
ORDER BY (tenant, app, environment, revision, deployment_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.deployments {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.deployments_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
