CREATE TABLE IF NOT EXISTS {database}.feedback_rows {on_cluster} (
    feedback_id UUID CODEC(ZSTD(1)),
    call_id UUID CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    kind LowCardinality(String) CODEC(ZSTD(1)),
    given_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    value Nullable(Float64) CODEC(ZSTD(1)),
    text Nullable(String) CODEC(ZSTD(1)),
    user_id Nullable(String) CODEC(ZSTD(1)),
    source LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(given_at)
ORDER BY (tenant, toDate(given_at), call_id, feedback_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.feedback {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.feedback_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
