"""Every topic into ClickHouse."""
