"""What quality is measured by, one idea a file."""
