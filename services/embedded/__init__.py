"""The laptop: broker, ClickHouse over HTTP and the supervisor, without Docker."""
