CREATE TABLE IF NOT EXISTS {database}.embeddings_rows {on_cluster} (
    embedding_id UUID CODEC(ZSTD(1)),
    call_id UUID CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    app LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    called_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    field LowCardinality(String) CODEC(ZSTD(1)),
    encoder LowCardinality(String) CODEC(ZSTD(1)),
    encoder_version LowCardinality(String) CODEC(ZSTD(1)),
    dimension UInt16 CODEC(ZSTD(1)),
    vector Array(BFloat16) CODEC(ZSTD(1)),
    session_id Nullable(String) CODEC(ZSTD(1)),
    inclusion_probability Float64 CODEC(ZSTD(1)),
    synthetic Bool CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1))
)
ENGINE = {engine}(row_version)
PARTITION BY toYYYYMM(called_at)
ORDER BY (tenant, toDate(called_at), app, environment, version, embedding_id)
SETTINGS non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {database}.embeddings {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.embeddings_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
