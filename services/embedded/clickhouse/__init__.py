"""The ClickHouse engine behind ClickHouse's HTTP interface, on loopback, for one person."""
