"""What the registry keeps, and which messages go with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, insert, select

from schemas.ids import derived_id
from schemas.messages import Deployment, Outcome, Target
from services.registry.keys import KeyStore
from services.registry.registry import Refused
from services.registry.tables import BASELINES, DECISIONS, METADATA
from services.shared.access import SCOPES, hash_key
from services.shared.outbox import OUTBOX, Outbox
from tests.unit.registry.builders import NOW, TARGET, a_command, a_version, an_order


@pytest.fixture
def deployed(store):
    """Version 2 runs as revision 2, and a controller holds the lease."""
    for label in ("v1", "v2"):
        store.register(a_version(label))
        store.deploy(an_order(label))
    lease, _ = store.take_lease(TARGET, "rollback", timedelta(minutes=1))
    assert lease.token == 1
    return store


def sent(engine, message_type) -> list:
    with engine.connect() as connection:
        values = connection.execute(select(OUTBOX.c.value).order_by(OUTBOX.c.id)).scalars().all()
    return [
        message_type.decode(v)
        for v in values
        if msgspec.json.decode(v)["type"] == f"{message_type.__name__.lower()}.v1"
    ]


def without_message(monkeypatch, number: int) -> None:
    """The outbox does not take its message of that number, from 0 on."""
    added, add = count(), Outbox.add

    def add_some(self, *message, **options):
        if next(added) == number:
            raise OSError("no room")
        add(self, *message, **options)

    monkeypatch.setattr(Outbox, "add", add_some)


def test_the_migrated_tables_are_the_declared_ones(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: kind != "table" or name in METADATA.tables}
        )
        differences = compare_metadata(context, METADATA)
    assert [difference for difference in differences if difference[0] != "remove_constraint"] == []


def test_the_same_version_again_is_the_registered_one(store):
    first, new = store.register(a_version("v1"))
    again, repeated = store.register(a_version("v1"))
    assert (again, new, repeated) == (first, True, False)
    with pytest.raises(Refused, match="other content"):
        store.register(a_version("v1", model="other"))
    assert store.versions("acme", "shop") == store.versions("acme", None) == [first]
    assert store.versions("rival", "shop") == []


def test_history_counts_from_one_without_gaps_newest_first(deployed):
    assert [(made.revision, made.version) for made in deployed.history(TARGET, 10)] == [(2, "v2"), (1, "v1")]
    assert deployed.deployment(TARGET).revision == 2
    assert [made.version for made in deployed.deployments("acme")] == ["v2"]


def test_a_deployment_and_its_message_are_one_change(deployed, engine, monkeypatch):
    before = deployed.history(TARGET, 10)
    with pytest.raises(Refused):
        deployed.deploy(an_order("v1", expected_revision=1, fencing_token=1))
    without_message(monkeypatch, 0)
    with pytest.raises(OSError, match="no room"):
        deployed.deploy(an_order("v1", fencing_token=1))
    assert deployed.history(TARGET, 10) == before
    assert [made.revision for made in sent(engine, Deployment)] == [1, 2]


async def test_a_new_broker_run_is_told_what_runs_however_old_it_is(deployed, engine):
    class Log:
        broker_run = "first"
        seen = ()

        async def check_run(self):
            return self.broker_run

        async def publish(self, messages):
            self.seen = [Deployment.decode(value).revision for _, _, value in messages]

    old = Outbox(engine, keep_seconds=-1)
    await old.publish_due(Log())
    fresh = Log()
    fresh.broker_run = "second"
    await old.publish_due(fresh)
    assert fresh.seen == [2]


def test_a_command_that_comes_twice_has_one_effect_and_one_answer(deployed, engine):
    command = a_command(fencing_token=1)
    answers = [deployed.execute(command) for _ in range(3)]
    assert [answer == answers[0] for answer in answers] == [True] * 3
    assert answers[0].evidence == {"result": "applied", "revision": 3}
    assert [made.version for made in deployed.history(TARGET, 10)] == ["v1", "v2", "v1"]
    assert sent(engine, Outcome) == answers


@pytest.mark.parametrize("number", [0, 1], ids=["deployment", "outcome"])
def test_a_command_of_which_one_message_is_not_kept_has_no_effect_yet(deployed, engine, monkeypatch, number):
    command, before = a_command(fencing_token=1), deployed.history(TARGET, 10)
    without_message(monkeypatch, number)
    with pytest.raises(OSError, match="no room"):
        deployed.execute(command)
    with engine.connect() as connection:
        assert connection.execute(select(DECISIONS)).all() == []
    assert deployed.history(TARGET, 10) == before
    assert deployed.execute(command).evidence == {"result": "applied", "revision": 3}
    assert [made.revision for made in sent(engine, Deployment)] == [1, 2, 3]


def test_a_command_that_lost_stays_lost_when_it_comes_again(deployed):
    late = a_command(fencing_token=1, expected_revision=1)
    first = deployed.execute(late)
    deployed.end_lease(TARGET, 1)
    assert (first.state, deployed.execute(late)) == ("failed", first)
    assert deployed.deployment(TARGET).version == "v2"


def test_of_two_controllers_the_one_with_the_newer_token_acts(deployed):
    deployed.end_lease(TARGET, 1)
    newer, _ = deployed.take_lease(TARGET, "somebody else", timedelta(minutes=1))
    stale = deployed.execute(a_command(fencing_token=1))
    acting = deployed.execute(a_command(fencing_token=newer.token, decision_id=derived_id("decision", 2)))
    assert (newer.token, stale.evidence["result"], acting.evidence["result"]) == (2, "conflict", "applied")


def test_of_many_that_expect_the_same_revision_one_wins(store):
    store.register(a_version("v1"))
    store.register(a_version("v2"))
    store.deploy(an_order("v1"))

    def attempt(label: str) -> int | None:
        try:
            return store.deploy(an_order(label, weights={label: 1.0}, expected_revision=1)).revision
        except Refused:
            return None

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(attempt, ["v1", "v2"] * 8))
    assert sorted(filter(None, answers)) == [2]


def test_on_postgresql_registering_and_freezing_wait_for_others_of_the_tenant(store, engine, monkeypatch):
    locked = []

    def functions(connection, _record):
        connection.create_function("hashtext", 1, str)
        connection.create_function("pg_advisory_xact_lock", 1, locked.append)

    engine.dispose()
    event.listen(engine, "connect", functions)
    monkeypatch.setattr(engine.dialect, "name", "postgresql")
    store.register(a_version("v1"))
    store.freeze({"tenant": "acme", "app": "", "environment": ""}, "the host moves", "ann")
    assert locked == ["acme", "acme"]


def test_a_freeze_stops_commands_where_it_reaches_and_people_never(deployed):
    elsewhere = {"tenant": "acme", "app": "shop", "environment": "staging"}
    deployed.freeze(elsewhere, "staging only", "ann")
    deployed.freeze({**elsewhere, "environment": ""}, "the host moves", "ann")
    assert deployed.execute(a_command(fencing_token=1)).evidence["code"] == "frozen"
    assert deployed.deploy(an_order("v1", fencing_token=1)).revision == 3
    deployed.thaw({**elsewhere, "environment": ""})
    assert [row.reason for row in deployed.freezes("acme")] == ["staging only"]


def test_a_baseline_is_a_registered_version(deployed):
    deployed.set_baseline(TARGET, "v1", "ann")
    deployed.set_baseline(TARGET, "v2", "ben")
    known = deployed.baseline(TARGET)
    assert (known.version, known.set_by) == ("v2", "ben")
    with pytest.raises(Refused, match="not registered"):
        deployed.set_baseline(TARGET, "v9", "ann")
    deployed.forget_baseline(TARGET)
    assert deployed.baseline(TARGET) is None


def test_what_runs_tells_the_pinned_baseline_and_so_does_what_comes_next(engine, deployed):
    running, told = deployed.deployment(TARGET), len(sent(engine, Deployment))
    deployed.set_baseline(TARGET, "v1", "ann")
    assert deployed.deployment(TARGET) == msgspec.structs.replace(running, baseline_version="v1")
    assert deployed.deploy(an_order("v1", fencing_token=1)).baseline_version == "v1"
    deployed.forget_baseline(TARGET)
    assert deployed.deployment(TARGET).baseline_version is None
    assert [each.baseline_version for each in sent(engine, Deployment)[told:]] == ["v1", "v1", None]


def test_a_pin_of_an_earlier_version_of_the_registry_is_told_once(engine, deployed):
    with engine.begin() as connection:
        place = {"tenant": TARGET.tenant, "app": TARGET.app, "environment": TARGET.environment}
        connection.execute(insert(BASELINES).values(**place, version="v1", set_at=NOW.isoformat(), set_by="ann"))
    told = len(sent(engine, Deployment))
    for _ in range(2):
        deployed.tell_baselines()
    assert [each.baseline_version for each in sent(engine, Deployment)[told:]] == ["v1"]


def test_tenants_do_not_see_each_other(deployed):
    rival = Target(tenant="rival", app=TARGET.app, environment=TARGET.environment)
    assert deployed.deployment(rival) is None
    assert deployed.deployments("rival") == deployed.history(rival, 10) == []
    with pytest.raises(Refused, match="not registered"):
        deployed.deploy(an_order("v1", target=rival))


def test_a_key_is_kept_as_its_hash_alone(engine, tmp_path):
    keys = KeyStore(engine, "secret", lambda: NOW)
    kept, key = keys.create("acme", "shop", ["emit"])
    assert keys.find(hash_key("secret", key)) == kept
    assert keys.find(hash_key("another", key)) is None
    assert not any(key.encode() in path.read_bytes() for path in (tmp_path / "state").iterdir())


def test_a_revoked_key_is_nobodys_and_stays_so(engine):
    keys = KeyStore(engine, "secret", lambda: NOW)
    keys.ensure("local", "bootstrap", "made-elsewhere")
    keys.ensure("local", "bootstrap", "made-elsewhere")
    (kept,) = keys.valid("local")
    assert kept.scopes == SCOPES
    assert not keys.revoke("acme", kept.key_id)
    assert keys.revoke("local", kept.key_id)
    keys.ensure("local", "bootstrap", "made-elsewhere")
    assert keys.valid() == []
    assert keys.find(kept.hash) is None
