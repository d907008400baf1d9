ALTER TABLE {database}.ingest_ranges_rows {on_cluster} MODIFY TTL toDateTime(inserted_at) + INTERVAL 90 DAY;
