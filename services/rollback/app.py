"""Alerts and outcomes in, commands and outcomes out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from schemas.messages import Alert, Outcome
from schemas.topics import ALERTS, OUTCOMES
from services.rollback.config import Config
from services.rollback.control import Control, Timing
from services.rollback.evidence import WindowEvidence
from services.rollback.registry_client import RegistryClient
from services.rollback.rollback.policies import Policy, PolicyError, check_names, parse
from services.rollback.store import Store
from services.shared import outbox
from services.shared.access import required_secret
from services.shared.agent import Agent
from services.shared.clickhouse import client
from services.shared.database import away_is_transient, connect, migrate, state_url
from services.shared.declared import texts
from services.shared.errors import Unusable
from services.shared.outbox import Outbox
from services.shared.process import Runtime
from services.shared.publishing import Publishing
from services.shared.record import Record

MIGRATIONS = Path(__file__).parent / "migrations"


def build(config: Config) -> tuple[Agent, list[Runtime]]:
    """The service, and the outbox beside it; `Unusable` where a policy cannot be used."""
    engine = connect(state_url(config.data, "rollback"))
    migrate(engine, MIGRATIONS, outbox.MIGRATIONS)
    messages = Outbox(engine)
    control = Control(
        Store(engine, messages),
        RegistryClient(config.registry_url, required_secret(config.secret)),
        WindowEvidence(lambda: client(config)),
        policies=policies(config.policies),
        enabled=config.enabled,
        timing=_timing(config),
    )

    def record(records: Sequence[Record[Alert | Outcome]]) -> None:
        live = [each.message for each in records if not (each.replayed or config.replay)]
        with away_is_transient():
            control.record(live, datetime.now(UTC))

    def step(now: datetime) -> None:
        with away_is_transient():
            control.step(now)

    agent = Agent("rollback", reads=(ALERTS, OUTCOMES), record=record, step=step, step_seconds=config.step_seconds)
    return agent, [Publishing(messages)]


def policies(place: Path) -> list[Policy]:
    """Every policy in a file or folder; `Unusable` names file, policy and field of the first wrong one."""
    try:
        found = [policy for file, text in texts(place) for policy in parse(text, file)]
        check_names(found)
    except PolicyError as error:
        raise Unusable(str(error)) from error
    return found


def _timing(config: Config) -> Timing:
    return Timing(
        poll_seconds=config.poll_seconds,
        repeat_seconds=config.repeat_seconds,
        answer_seconds=config.answer_seconds,
        lease_seconds=config.lease_seconds,
        alert_retention_seconds=config.alert_retention_seconds,
    )
