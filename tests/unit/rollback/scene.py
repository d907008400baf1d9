"""A rollback service before a real registry; both keep their state in SQLite, and either can be restarted."""

import threading
from datetime import UTC, datetime, timedelta

import uvicorn
from sqlalchemy import select

from schemas.ids import derived_id
from schemas.messages import Alert, Command, Outcome, Segment, Target, Window
from services.registry import app as registry_app
from services.registry.keys import KeyStore
from services.registry.registry import Order, Version, content_hash
from services.registry.store import Store as RegistryStore
from services.rollback.app import MIGRATIONS
from services.rollback.control import Control
from services.rollback.registry_client import RegistryClient
from services.rollback.rollback.policies import Policy
from services.rollback.store import Store, outcomes_of
from services.shared import outbox
from services.shared.database import connect, migrate
from services.shared.outbox import Outbox

START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
TARGET = Target(tenant="t", app="docs-bot", environment="production")
SECRET = "between services"
POLICY = Policy(name="restore", rules=("toxic-responses", "errors"))
HEALTHY = ["proposed", "approved", "executing", "verifying", "done"]


def at(seconds):
    return START + timedelta(seconds=seconds)


def an_alert(index=0, *, version="v2", rule="toxic-responses", **fields):
    """An alert whose second window ended at `10 + 5 * index` seconds."""
    name = f"{rule}|t|docs-bot|production|{version}|response_toxicity|"
    first = at(5 * index)
    defaults = {
        "kind": "threshold",
        "state": "firing",
        "severity": "critical",
        "metric": "response_toxicity",
        "value": 0.4,
        "threshold": 0.15,
        "count": 20,
        "labels": {"statistic": "mean", "direction": "above", "evaluator": "test"},
        "changed_at": first + timedelta(seconds=11),
    }
    return Alert(
        alert_id=derived_id("alert", name, first),
        fingerprint=name,
        rule=rule,
        segment=Segment(tenant="t", app="docs-bot", environment="production", version=version),
        summary="response_toxicity is 0.4",
        interval_seconds=5,
        first_window_start=first,
        window_start=first + timedelta(seconds=5),
        window_end=first + timedelta(seconds=10),
        **{**defaults, **fields},
    )


def a_window(start, mean, count=20):
    return Window(
        window_id=derived_id("window", start),
        segment=Segment(tenant="t", app="docs-bot", environment="production", version="v1"),
        metric="response_toxicity",
        evaluator="test",
        evaluator_version="1",
        interval_seconds=5,
        window_start=start,
        window_end=start + timedelta(seconds=5),
        source_partition=0,
        count=count,
        weight=float(count),
        weight_squares=float(count),
        weighted_sum=mean * count,
        weighted_square_sum=mean * mean * count,
    )


def recovered(scene, mean=0.02):
    """Let three windows after the rollback have this mean."""
    scene.windows = [a_window(at(20 + 5 * index), mean) for index in range(3)]


class RegistryServer:
    """The registry's own store and routes behind a real HTTP server on a free port."""

    def __init__(self, path):
        self.now = START
        self.engine = connect(f"sqlite:///{path}/registry.sqlite")
        migrate(self.engine, registry_app.MIGRATIONS, outbox.MIGRATIONS)
        self.store = RegistryStore(self.engine, Outbox(self.engine), lambda: self.now)
        keys = KeyStore(self.engine, SECRET, lambda: self.now)
        application = registry_app.web(self.store, keys, SECRET)
        config = uvicorn.Config(application, port=0, log_config=None, lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            self.thread.join(0.01)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def deploy(self, *labels):
        for label in labels:
            bundle = {"model": label}
            self.store.register(Version("t", "docs-bot", label, content_hash(bundle), bundle, self.now, "someone"))
            self.store.deploy(Order(target=TARGET, version=label, deployed_by="someone"))

    def serving(self):
        return self.store.deployment(TARGET)

    def close(self):
        self.server.should_exit = True
        self.thread.join()
        self.engine.dispose()


class Scene:
    """Time, a registry, a rollback service, and what lies between them."""

    def __init__(self, path, policy=POLICY, **options):
        self.path, self.policies, self.options = path, [policy], options
        self.registry = RegistryServer(path)
        self.registry.deploy("v1", "v2")
        self.windows, self.evidence_error = [], None
        self.open()

    def open(self):
        """Start, or start again from what the disk holds."""
        self.engine = connect(f"sqlite:///{self.path}/rollback.sqlite")
        migrate(self.engine, MIGRATIONS, outbox.MIGRATIONS)
        self.store = Store(self.engine, Outbox(self.engine))
        self.client = RegistryClient(self.registry.url, SECRET)
        self.control = Control(self.store, self.client, self._evidence, policies=self.policies, **self.options)

    def restart(self):
        self.client.close()
        self.engine.dispose()
        self.open()

    def _evidence(self, alert, version, since):
        if self.evidence_error:
            raise self.evidence_error
        assert version == "v1"
        return [window for window in self.windows if window.window_start >= since]

    def step(self, seconds):
        self.registry.now = at(seconds)
        self.control.step(at(seconds))

    def record(self, *messages, seconds):
        self.control.record(messages, at(seconds))

    def sent(self, kind):
        return [found for found in self._messages(self.engine) if isinstance(found, kind)]

    def answers(self):
        return [found for found in self._messages(self.registry.engine) if isinstance(found, Outcome)]

    def deliver(self, seconds, copies=1):
        """Everything on the topics, from the beginning, as often as `copies`: the worst that Kafka may do."""
        self.registry.now = at(seconds)
        for _ in range(copies):
            for command in self.sent(Command):
                self.registry.store.execute(command)
            self.record(*self.answers(), *self.sent(Outcome), seconds=seconds)

    def states(self):
        decision = self.sent(Outcome)[0].decision_id
        return [outcome.state for outcome in outcomes_of(self.engine, decision) if outcome.actor != "registry"]

    def revisions(self):
        return [deployment.version for deployment in self.registry.store.history(TARGET, 100)][::-1]

    def close(self):
        self.client.close()
        self.engine.dispose()
        self.registry.close()

    @staticmethod
    def _messages(engine):
        kinds = {"commands.v1": Command, "outcomes.v1": Outcome}
        with engine.connect() as connection:
            rows = connection.execute(select(outbox.OUTBOX).order_by(outbox.OUTBOX.c.id)).all()
        return [kinds[row.topic].decode(row.value) for row in rows if row.topic in kinds]
