CREATE TABLE IF NOT EXISTS {database}.ingest_ranges_rows {on_cluster} (
    broker_run String CODEC(ZSTD(1)),
    topic LowCardinality(String) CODEC(ZSTD(1)),
    partition Int32 CODEC(ZSTD(1)),
    first_offset Int64 CODEC(ZSTD(1)),
    last_offset Int64 CODEC(ZSTD(1)),
    row_count UInt64 CODEC(ZSTD(1)),
    dead_letters UInt64 CODEC(ZSTD(1)),
    inserted_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
ORDER BY (broker_run, topic, partition, first_offset, last_offset)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.ingest_ranges {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.ingest_ranges_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
