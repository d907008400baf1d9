CREATE TABLE IF NOT EXISTS {database}.audit_rows {on_cluster} (
    audit_id UUID CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    actor String CODEC(ZSTD(1)),
    action LowCardinality(String) CODEC(ZSTD(1)),
    subject String CODEC(ZSTD(1)),
    detail String CODEC(ZSTD(1)),
    hash String CODEC(ZSTD(1)),
    previous_hash String CODEC(ZSTD(1)),
    happened_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(happened_at)
ORDER BY (tenant, toDate(happened_at), audit_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.audit {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.audit_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
