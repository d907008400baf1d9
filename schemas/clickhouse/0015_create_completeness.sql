CREATE TABLE IF NOT EXISTS {database}.completeness_rows {on_cluster} (
    checked_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    broker_run String CODEC(ZSTD(1)),
    grace_seconds Float64 CODEC(ZSTD(1)),
    pause_seconds Float64 CODEC(ZSTD(1)),
    covered UInt64 CODEC(ZSTD(1)),
    missing_offsets UInt64 CODEC(ZSTD(1)),
    pending_offsets UInt64 CODEC(ZSTD(1)),
    missing_calls UInt64 CODEC(ZSTD(1)),
    pending_calls UInt64 CODEC(ZSTD(1)),
    dead_letters UInt64 CODEC(ZSTD(1)),
    refused UInt64 CODEC(ZSTD(1)),
    gaps Array(Tuple(kind String, place String, subject String, first Int64, last Int64, since DateTime64(6, 'UTC'))) CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(checked_at)
ORDER BY (checked_at, broker_run)
TTL toDateTime(checked_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.completeness {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.completeness_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
