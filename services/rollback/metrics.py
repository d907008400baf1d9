"""What the rollback service counts."""

from prometheus_client import Counter

OUTCOMES = Counter("tidemark_rollback_outcomes_total", "Changes of state of decisions.", ["policy", "state"])
COMMANDS = Counter("tidemark_rollback_commands_total", "Commands given, the first time or again.", ["kind"])
ESCALATIONS = Counter("tidemark_rollback_escalations_total", "Decisions that a person has to look at.", ["state"])
AWAY = Counter("tidemark_rollback_away_total", "Steps put off because something did not answer.", ["what"])
