"""Alerts and outcomes in, commands and outcomes out."""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
