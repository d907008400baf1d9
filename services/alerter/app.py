"""Windows in, alerts out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.messages import Window
from schemas.topics import DEPLOYMENTS, WINDOWS
from services.alerter.alerter.rules import AnyRule, RuleError, check_names, parse
from services.alerter.config import Config
from services.alerter.notify import NotificationError, Notifier, channels
from services.alerter.store import Notifications
from services.alerter.watch import Timing, Watch
from services.shared import outbox
from services.shared.agent import Agent
from services.shared.database import away_is_transient, connect, migrate, state_url
from services.shared.declared import texts
from services.shared.errors import Unusable
from services.shared.outbox import Outbox
from services.shared.process import Runtime
from services.shared.publishing import Publishing
from services.shared.record import Record
from services.shared.view import View

if TYPE_CHECKING:
    from apprise import Apprise

MIGRATIONS = Path(__file__).parent / "migrations"


def build(config: Config) -> tuple[Agent, list[Runtime]]:
    """The service, and what runs beside it: the view of deployments, the outbox, the notifier.

    Raises `Unusable` where a rule or an address cannot be used.
    """
    engine = connect(state_url(config.data, "alerter"))
    migrate(engine, MIGRATIONS, outbox.MIGRATIONS)
    deployments = View(DEPLOYMENTS)
    told = _channels(config)
    watch = Watch(
        engine, rules=rules(config.rules), deployment=deployments.get, channels=list(told), timing=_timing(config)
    )

    def record(records: Sequence[Record[Window]]) -> None:
        live = [each.message for each in records if not (each.replayed or config.replay)]
        with away_is_transient():
            watch.record(live, datetime.now(UTC))

    def step(now: datetime) -> None:
        # A version must not be judged without the one that it replaced because that was not heard of yet.
        if deployments.wait(0):
            with away_is_transient():
                watch.step(now)

    agent = Agent("alerter", reads=WINDOWS, record=record, step=step, step_seconds=config.step_seconds)
    return agent, [deployments, Publishing(Outbox(engine)), Notifier(Notifications(engine), told)]


def rules(place: Path) -> list[AnyRule]:
    """Every rule in a file or folder; `Unusable` names file, rule, field and remedy of the first wrong one."""
    try:
        found = [rule for file, text in texts(place) for rule in parse(text, file)]
        check_names(found)
    except RuleError as error:
        raise Unusable(str(error)) from error
    return found


def _channels(config: Config) -> "dict[str, Apprise]":
    try:
        return channels(config.notify)
    except NotificationError as error:
        raise Unusable(str(error)) from error


def _timing(config: Config) -> Timing:
    return Timing(
        settle_seconds=config.settle_seconds,
        late_intervals=config.late_intervals,
        retention_seconds=config.retention_seconds,
        repeat_seconds=config.repeat_seconds,
    )
