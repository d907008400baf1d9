CREATE TABLE IF NOT EXISTS {database}.scores_rows {on_cluster} (
    score_id UUID CODEC(ZSTD(1)),
    call_id UUID CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    app LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    called_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    metric LowCardinality(String) CODEC(ZSTD(1)),
    status Enum8('scored' = 0, 'not_scored' = 1, 'failed' = 2) CODEC(ZSTD(1)),
    value Nullable(Float64) CODEC(ZSTD(1)),
    label Nullable(Bool) CODEC(ZSTD(1)),
    reason LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
    evidence Array(Tuple(field String, start Int64, end Int64, kind String, value Nullable(Float64))) CODEC(ZSTD(1)),
    evaluator LowCardinality(String) CODEC(ZSTD(1)),
    evaluator_version LowCardinality(String) CODEC(ZSTD(1)),
    input_at Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    inclusion_probability Float64 CODEC(ZSTD(1)),
    groups Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    synthetic Bool CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(called_at)
ORDER BY (tenant, toDate(called_at), app, environment, metric, version, score_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.scores {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.scores_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
