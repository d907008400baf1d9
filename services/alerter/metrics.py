"""What the alerter counts."""

from prometheus_client import Counter

WINDOWS = Counter("tidemark_alerter_windows_total", "Windows recorded, new or again.", ["kind"])
LATE = Counter("tidemark_alerter_late_windows_total", "Windows too old to be judged when they came.")
ALERTS = Counter("tidemark_alerter_alerts_total", "Changes of alerts told.", ["rule", "state"])
NOTIFICATIONS = Counter("tidemark_alerter_notifications_total", "Attempts to notify people.", ["result"])
