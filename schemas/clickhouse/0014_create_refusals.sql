CREATE TABLE IF NOT EXISTS {database}.refusals_rows {on_cluster} (
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    client_instance String CODEC(ZSTD(1)),
    sequence Int64 CODEC(ZSTD(1)),
    field LowCardinality(String) CODEC(ZSTD(1)),
    refused_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
ORDER BY (tenant, client_instance, sequence)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.refusals {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.refusals_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
