CREATE TABLE IF NOT EXISTS {database}.dead_letters_rows {on_cluster} (
    dead_letter_id UUID CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    stage LowCardinality(String) CODEC(ZSTD(1)),
    topic LowCardinality(String) CODEC(ZSTD(1)),
    partition Int32 CODEC(ZSTD(1)),
    offset Int64 CODEC(ZSTD(1)),
    broker_run String CODEC(ZSTD(1)),
    call_id Nullable(UUID) CODEC(ZSTD(1)),
    message_key Nullable(String) CODEC(ZSTD(1)),
    message_value Nullable(String) CODEC(ZSTD(1)),
    headers Map(String, String) CODEC(ZSTD(1)),
    error LowCardinality(String) CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    failed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    redrives UInt32 CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
ORDER BY (service, topic, broker_run, partition, offset, dead_letter_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.dead_letters {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.dead_letters_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
