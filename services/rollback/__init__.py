"""Alerts in, commands and outcomes out."""
