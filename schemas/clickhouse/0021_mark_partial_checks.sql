ALTER TABLE {database}.completeness_rows {on_cluster}
    ADD COLUMN IF NOT EXISTS whole Bool DEFAULT true CODEC(ZSTD(1)) AFTER refused;

CREATE OR REPLACE VIEW {database}.completeness {on_cluster} AS
SELECT * EXCEPT (row_version) FROM {database}.completeness_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
