ALTER TABLE {database}.scores_rows {on_cluster}
    ADD COLUMN IF NOT EXISTS statistics Map(LowCardinality(String), Float64) CODEC(ZSTD(1)) AFTER evidence;

CREATE OR REPLACE VIEW {database}.scores {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.scores_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE {database}.windows_rows {on_cluster}
    ADD COLUMN IF NOT EXISTS statistics Map(LowCardinality(String), Float64) CODEC(ZSTD(1)) AFTER sketch_zero,
    ADD COLUMN IF NOT EXISTS corpus Nullable(Float64) CODEC(ZSTD(1)) AFTER statistics;

CREATE OR REPLACE VIEW {database}.windows {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.windows_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE {database}.calls_rows {on_cluster}
    ADD INDEX IF NOT EXISTS call_id_index call_id TYPE bloom_filter GRANULARITY 1;
