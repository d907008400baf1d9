"""Gaps that are real: seen by the gauges, the page and the alerter, and gone when they are filled."""

import re
from datetime import UTC, datetime

import clickhouse_connect
import httpx
import pytest

from schemas import clickhouse
from schemas.ids import uuid7
from schemas.messages import Alert, Refusal
from schemas.topics import ALERTS, CALLS, REFUSALS, every_topic
from services.shared.kafka import Kafka
from services.shared.topics import apply
from tests.support.broker import eventually, log_of, put
from tests.support.engine import running
from tests.support.messages import a_call
from tests.support.service_process import ServiceProcess

pytestmark = [pytest.mark.embedded, pytest.mark.slow]
RULE = "missing-data"
PATIENCE_SECONDS = 240  # a busy machine looks more rarely: by design, as long as its looks take


class Scene:
    """A broker, an engine, and the services that see to completeness, as processes."""

    def __init__(self, broker, engine, folder):
        self.broker, self.engine, self.kafka = broker, engine, Kafka(broker.bootstrap)
        told = {
            "TIDEMARK_DATA": str(folder),
            "TIDEMARK_KAFKA_BOOTSTRAP": broker.bootstrap,
            "TIDEMARK_CLICKHOUSE_URL": engine.url,
            "TIDEMARK_WRITER_COMPLETENESS_SECONDS": "1",
            "TIDEMARK_WRITER_COMPLETENESS_GRACE_SECONDS": "1",
            "TIDEMARK_WRITER_LINGER_SECONDS": "0.05",
            "TIDEMARK_WRITER_BATCH_RECORDS": "50",
        }
        self.services = {name: ServiceProcess(name, folder, **told) for name in ("writer", "alerter", "console")}
        self.store = clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse, database="tidemark")

    def start(self, *names):
        for name in names:
            self.services[name].start()
        for name in names:
            self.services[name].ready()

    def end(self):
        for service in self.services.values():
            service.kill()

    def gauges(self):
        assert self.services["writer"].runs(), self.services["writer"].log
        text = httpx.get(f"{self.services['writer'].url}/metrics").text
        found = re.findall(r'^tidemark_writer_(missing|pending)\{kind="(\w+)"\} (\S+)$', text, re.MULTILINE)
        return {f"{name}_{kind}": float(value) for name, kind, value in found}

    async def shows(self, **expected):
        """Wait until a check says so."""
        await eventually(lambda: expected.items() <= self.gauges().items(), PATIENCE_SECONDS)

    async def alert(self, state):
        """Wait until the newest change of the alert is this state."""

        async def is_it():
            told = [Alert.decode(each.value) for each in await log_of(self.kafka, ALERTS)]
            return [each.state for each in told if each.rule == RULE][-1:] == [state]

        await eventually(is_it, PATIENCE_SECONDS)

    def page(self):
        return httpx.get(f"{self.services['console'].url}/fragments/completeness").text

    def gaps(self):
        """What the last check names: kind, place, first and last."""
        kept = self.ask("SELECT gaps FROM completeness ORDER BY checked_at DESC LIMIT 1")[0][0]
        return [tuple(gap[name] for name in ("kind", "place", "first", "last")) for gap in kept]

    def ask(self, query):
        return self.store.query(query).result_rows


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with running(tmp_path_factory.mktemp("engine")) as found:
        clickhouse.apply(
            clickhouse_connect.get_client(host="127.0.0.1", port=found.ports.clickhouse), clickhouse.Names()
        )
        yield found


@pytest.fixture
async def scene(mortal_broker, engine, tmp_path):
    made = Scene(mortal_broker, engine, tmp_path)
    await apply(made.kafka, every_topic())
    yield made
    made.end()


def numbered(instance, *numbers):
    now = datetime.now(UTC)
    return [a_call(called_at=now, client_instance=instance, sequence=number) for number in numbers]


async def emit(scene, calls, partition=0):
    await put(scene.kafka, CALLS, [call.encode() for call in calls], partition=partition)


async def test_a_number_that_is_left_out_is_seen_told_and_forgotten_when_it_comes(scene):
    scene.start("writer", "alerter", "console")
    instance = str(uuid7())
    calls = numbered(instance, *range(10))
    await emit(scene, [*calls[:4], *calls[5:]])
    await scene.shows(missing_calls=1, missing_offsets=0)
    assert scene.gaps() == [("calls", f"t|{instance}", 4, 4)]
    await scene.alert("firing")
    assert f"call 4 of client {instance}" in scene.page()
    assert 'class="completeness missing"' in scene.page()
    await emit(scene, [calls[4]])
    await scene.shows(missing_calls=0, missing_offsets=0)
    await scene.alert("resolved")
    assert 'class="completeness complete"' in scene.page()


async def test_what_is_known_to_be_lost_or_dead_is_not_missing(scene):
    scene.start("writer")
    instance = str(uuid7())
    calls = numbered(instance, *range(9))
    dead = calls[7].encode().replace(b'"version":"v1"', b'"version":17')
    await put(scene.kafka, CALLS, [*(call.encode() for call in (*calls[2:5], calls[8])), dead])
    await scene.shows(missing_calls=4)
    for number in (0, 1, 5, 6):
        refusal = Refusal(tenant="t", client_instance=instance, sequence=number, refused_at=datetime.now(UTC))
        await put(scene.kafka, REFUSALS, [refusal.encode()])
    await scene.shows(missing_calls=0, missing_offsets=0)
    assert scene.ask("SELECT count() FROM dead_letters WHERE call_id IS NOT NULL") == [(1,)]


async def test_a_range_that_is_gone_is_a_gap_until_it_is_there_again(scene):
    scene.start("writer")
    for part in range(3):
        await emit(scene, numbered(str(uuid7()), *range(20)), partition=part)
    await scene.shows(missing_offsets=0, pending_offsets=0)
    await eventually(lambda: scene.ask(stored_of(scene))[0][0] == 60)
    lost = scene.ask(f"SELECT * FROM ingest_ranges_rows WHERE {of(scene)} AND partition = 1")
    scene.store.command(f"DELETE FROM ingest_ranges_rows WHERE {of(scene)} AND partition = 1")
    await scene.shows(missing_offsets=20, missing_calls=0)
    assert scene.gaps() == [("offsets", "calls.v1|1", 0, 19)]
    scene.store.insert("ingest_ranges_rows", [*lost, *lost])  # twice: repeats count once
    await scene.shows(missing_offsets=0)


def of(scene):
    return f"broker_run = '{scene.broker.run}' AND topic = 'calls.v1'"


def stored_of(scene):
    return f"SELECT sum(last_offset - first_offset + 1) FROM ingest_ranges WHERE {of(scene)}"


async def more_inserts(scene):
    inserts = f"SELECT count() FROM ingest_ranges_rows WHERE {of(scene)}"
    before = scene.ask(inserts)[0][0]
    await eventually(lambda: scene.ask(inserts)[0][0] > before + 2)


async def test_kills_in_the_middle_of_inserts_leave_no_gap_and_a_new_log_starts_anew(scene):
    instance, number = str(uuid7()), 0
    for kills in range(3):
        scene.start("writer")
        await emit(scene, numbered(instance, *range(number, number + 2000)), partition=kills % 2)
        number += 2000
        await more_inserts(scene)
        scene.services["writer"].kill()
    stored = scene.ask(f"SELECT uniqExact(sequence) FROM calls WHERE client_instance = '{instance}'")[0][0]
    assert stored < number, "the kills came too late to be in the middle of anything"
    scene.start("writer")
    await eventually(
        lambda: (
            scene.ask(f"SELECT count(), uniqExact(sequence) FROM calls WHERE client_instance = '{instance}'")
            == [(number, number)]
        ),
        PATIENCE_SECONDS,
    )
    await scene.shows(missing_offsets=0, missing_calls=0, pending_offsets=0, pending_calls=0)

    scene.broker.restart_empty()
    await apply(scene.kafka, every_topic())
    await emit(scene, numbered(instance, *range(number, number + 10)), partition=1)
    await eventually(
        lambda: scene.ask(f"SELECT count() FROM ingest_ranges_rows WHERE {of(scene)}")[0][0] > 0, PATIENCE_SECONDS
    )
    newest = "SELECT broker_run, missing_offsets, missing_calls FROM completeness ORDER BY checked_at DESC LIMIT 1"
    await eventually(lambda: scene.ask(newest) == [(scene.broker.run, 0, 0)], PATIENCE_SECONDS)
    assert scene.gaps() == []
