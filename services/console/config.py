"""The console's settings."""
