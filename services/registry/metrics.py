"""The registry's own numbers."""

from prometheus_client import Counter

COMMANDS = Counter("tidemark_registry_commands", "Commands by what came of them, repeats included.", ["result"])
DEPLOYMENTS = Counter("tidemark_registry_deployments", "Revisions made.", ["by"])
