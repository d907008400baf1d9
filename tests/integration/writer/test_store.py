"""The writer's rows in the real engine: every field arrives, repeats are harmless, the fuller row wins."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import clickhouse_connect
import msgspec
import pytest
from clickhouse_connect.driver.exceptions import OperationalError

import schemas
from schemas import clickhouse
from schemas.ids import uuid7
from schemas.messages import Call, Window
from schemas.topics import CALLS, EMBEDDINGS, OUTCOMES, SCORES, WINDOWS, dead_letters, stored_topics
from services.shared import clickhouse as clickhouses
from services.shared.errors import Transient
from services.shared.record import Record
from services.shared.settings import SharedSettings
from services.shared.sink import Batch
from services.writer.store import Store
from services.writer.writer import TABLES
from tests.support.engine import running

pytestmark = pytest.mark.embedded
EXAMPLES = Path(schemas.__file__).parent / "examples"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
NAMES = clickhouse.Names()
KEPT = [topic for topic in stored_topics() if not topic.name.startswith("dlq.")] + [dead_letters("writer")]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with running(tmp_path_factory.mktemp("engine")) as found:
        clickhouse.apply(_client(found, database="default"), NAMES)
        yield found


@pytest.fixture
def client(engine):
    return _client(engine)


def _client(engine, database="tidemark"):
    return clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse, database=database)


def _batch(topic, *messages, offset=0):
    records = [Record(message, topic.name, 0, offset + n, "run", 0) for n, message in enumerate(messages)]
    return Batch(
        topic=topic,
        partition=0,
        broker_run="run",
        first_offset=offset,
        last_offset=offset + max(0, len(messages) - 1),
        records=records,
    )


def _example(topic, name="*"):
    folder = "dlq" if topic.name.startswith("dlq") else topic.name.partition(".")[0]
    file = next((EXAMPLES / folder / "v1").glob(f"{name}.json"))
    return topic.message.decode(file.read_bytes())


@pytest.mark.parametrize("topic", KEPT, ids=lambda topic: topic.name)
def test_columns_and_tables_agree(client, topic):
    for table in TABLES[topic.message]:
        described = client.query(f"DESCRIBE TABLE {table.rows}").result_rows
        assert {row[0] for row in described} == {column.name for column in table.columns} | {"row_version"}


@pytest.mark.parametrize("topic", KEPT, ids=lambda topic: topic.name)
def test_every_example_is_stored_once_however_often_it_comes(client, topic):
    store = Store(lambda: client, lambda: NOON)
    message = _example(topic)
    for _ in range(2):
        store.write(topic, [_batch(topic, message)])
    for table in TABLES[topic.message]:
        first = table.columns[0].name
        value = table.columns[0].value(message)
        found = client.query(
            f"SELECT count() FROM {table.name} WHERE {first} = {{id:String}}", parameters={"id": value}
        )
        assert found.result_rows == [(1,)]


def test_nothing_of_a_call_is_lost(client):
    call = Call.decode((EXAMPLES / "calls/v1/full.json").read_bytes())
    Store(lambda: client, lambda: NOON).write(CALLS, [_batch(CALLS, call)])
    text = client.query("SELECT * FROM calls WHERE call_id = {id:UUID}", parameters={"id": str(call.call_id)})
    row = dict(zip(text.column_names, text.result_rows[0], strict=True))
    stored = json.dumps(row, default=str, ensure_ascii=False)
    for name in ("trace_id", "session_id", "prompt", "response", "system_fingerprint", "experiment", "client_instance"):
        assert row[name] == getattr(call, name)
    assert json.loads(row["context"]) == list(msgspec.to_builtins(call.context))
    assert json.loads(row["parameters"]) == call.parameters
    assert (row["groups"], row["input_tokens"], row["sequence"]) == (dict(call.groups), 42, 17)
    assert "gen_ai.operation.name" in stored


def test_a_scored_row_wins_over_one_that_was_not_whatever_comes_last(client):
    scored = _example(SCORES, "scored")
    not_scored = msgspec.structs.replace(scored, status="not_scored", value=None, reason="reference")
    store = Store(lambda: client, lambda: NOON)
    for score in (not_scored, scored, not_scored):
        store.write(SCORES, [_batch(SCORES, score)])
    assert _of(client, "scores", "status", scored.score_id) == [("scored",)]


def test_a_late_input_wins_over_an_earlier_one(client):
    early = msgspec.structs.replace(_example(SCORES, "scored"), score_id=uuid7())
    late = msgspec.structs.replace(early, input_at=early.called_at + timedelta(hours=3), value=0.1)
    store = Store(lambda: client, lambda: NOON)
    for score in (late, early):
        store.write(SCORES, [_batch(SCORES, score)])
    assert _of(client, "scores", "value", early.score_id) == [(0.1,)]


@pytest.mark.parametrize("order", [(0.5, 0.25), (0.25, 0.5)])
@pytest.mark.parametrize("topic", [SCORES, EMBEDDINGS], ids=["scores", "embeddings"])
def test_what_was_handled_twice_at_two_rates_keeps_the_larger_probability(client, topic, order):
    name, column = topic.name.removesuffix(".v1"), f"{topic.name.removesuffix('s.v1')}_id"
    message = msgspec.structs.replace(_example(topic, "scored" if topic is SCORES else "*"), **{column: uuid7()})
    store = Store(lambda: client, lambda: NOON)
    for probability in order:
        again = msgspec.structs.replace(message, inclusion_probability=0.3 * probability)
        store.write(topic, [_batch(topic, again)])
    assert _of(client, name, "inclusion_probability", getattr(message, column), column=column) == [(0.15,)]


@pytest.mark.parametrize("order", [(8.0, 4.0), (4.0, 8.0)])
def test_of_equally_full_windows_the_surer_one_wins(client, order):
    window = msgspec.structs.replace(_example(WINDOWS, "scores"), window_id=uuid7(), count=2, not_scored=0, failed=0)
    store = Store(lambda: client, lambda: NOON)
    for weight in order:
        store.write(WINDOWS, [_batch(WINDOWS, msgspec.structs.replace(window, weight=weight))])
    assert _of(client, "windows", "weight", window.window_id, column="window_id") == [(4.0,)]


def test_the_fuller_window_wins(client):
    full = _example(WINDOWS, "scores")
    part = msgspec.structs.replace(full, count=1, weight=2.0)
    store = Store(lambda: client, lambda: NOON)
    for window in (full, part):
        store.write(WINDOWS, [_batch(WINDOWS, window)])
    assert _of(client, "windows", "count", full.window_id, column="window_id") == [(full.count,)]


def test_a_rebuilt_generation_wins_over_a_fuller_window(client):
    live: Window = msgspec.structs.replace(_example(WINDOWS, "scores"), window_id=uuid7())
    rebuilt = msgspec.structs.replace(live, generation=1, count=1)
    store = Store(lambda: client, lambda: NOON)
    for window in (rebuilt, live):
        store.write(WINDOWS, [_batch(WINDOWS, window)])
    assert _of(client, "windows", "generation", live.window_id, column="window_id") == [(1,)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_dead_letter_stays_as_often_sent_again_as_it_was(client, order):
    topic, store = dead_letters("writer"), Store(lambda: client, lambda: NOON)
    letter = msgspec.structs.replace(_example(topic), dead_letter_id=uuid7())
    rows = [msgspec.structs.replace(letter, redrives=redrives) for redrives in (0, 1, 3)]
    rows.append(msgspec.structs.replace(letter, failed_at=letter.failed_at + timedelta(hours=1)))  # read again
    rows.append(msgspec.structs.replace(letter, redrives=2, failed_at=letter.failed_at + timedelta(hours=2)))
    for row in rows[::order]:
        store.write(topic, [_batch(topic, row)])
    found = client.query(f"SELECT redrives FROM dead_letters WHERE dead_letter_id = '{letter.dead_letter_id}'")
    assert found.result_rows == [(3,)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_outcomes_of_one_moment_the_last_step_decides(client, order):
    done = msgspec.structs.replace(_example(OUTCOMES), decision_id=uuid7())
    states = ("proposed", "approved", "executing")
    store = Store(lambda: client, lambda: NOON)
    for step in order:
        told = msgspec.structs.replace(done, outcome_id=uuid7(), state=states[step], step=step)
        store.write(OUTCOMES, [_batch(OUTCOMES, told)])
    assert _of(client, "decisions", "state", done.decision_id, column="decision_id") == [("executing",)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_decision_stands_where_its_newest_outcome_left_it_whoever_counted_the_steps(client, order):
    done = msgspec.structs.replace(_example(OUTCOMES), decision_id=uuid7())
    told = [
        msgspec.structs.replace(done, outcome_id=uuid7(), state=state, step=step, actor=actor)
        for state, step, actor in (
            ("executing", 2, "rollback"),
            ("executing", 100, "registry"),
            ("failed", 4, "rollback"),
        )
    ]
    told = [
        msgspec.structs.replace(each, changed_at=done.changed_at + timedelta(seconds=after))
        for after, each in enumerate(told)
    ]
    store = Store(lambda: client, lambda: NOON)
    for place in order:
        store.write(OUTCOMES, [_batch(OUTCOMES, told[place])])
    assert _of(client, "decisions", "state", done.decision_id, column="decision_id") == [("failed",)]
    assert len(_of(client, "outcomes", "state", done.decision_id, column="decision_id")) == 3


def test_the_covered_range_is_recorded(client):
    store = Store(lambda: client, lambda: datetime.now(UTC))  # an old range is forgotten at once
    batch = _batch(SCORES, _example(SCORES, "scored"), offset=700)
    letters = [_example(dead_letters("writer"))]
    store.write(SCORES, [msgspec.structs.replace(batch, last_offset=702, dead_letters=letters)])
    columns = "topic, partition, last_offset, row_count, dead_letters"
    found = client.query(f"SELECT {columns} FROM ingest_ranges WHERE first_offset = 700").result_rows
    assert found == [("scores.v1", 0, 702, 1, 1)]


def test_calls_of_more_than_a_hundred_months_are_one_batch(engine):
    call = msgspec.structs.replace(_example(CALLS), session_id="old")
    months = [datetime(2000 + n // 12, 1 + n % 12, 1, tzinfo=UTC) for n in range(120)]
    calls = [msgspec.structs.replace(call, call_id=uuid7(), called_at=month) for month in months]
    ours = clickhouses.client(SharedSettings(clickhouse_url=f"http://127.0.0.1:{engine.ports.clickhouse}"))
    Store(lambda: ours, lambda: NOON).write(CALLS, [_batch(CALLS, *calls)])
    assert ours.query("SELECT count() FROM calls WHERE session_id = 'old'").result_rows == [(120,)]


def test_after_a_broken_answer_the_next_try_connects_anew():
    connected = []

    class Broken:
        def insert_arrow(self, _name, _rows, settings):
            raise OperationalError("Failed to read response data from server")

    def connect():
        connected.append(Broken())
        return connected[-1]

    store = Store(connect, lambda: NOON)
    for _ in range(2):
        with pytest.raises(Transient, match="does not answer"):
            store.write(SCORES, [_batch(SCORES, _example(SCORES, "scored"))])
    assert len(connected) == 2


def test_a_store_that_is_away_is_transient():
    def away():
        return clickhouse_connect.get_client(host="127.0.0.1", port=9, connect_timeout=1)

    with pytest.raises(Transient):
        Store(away, lambda: NOON).write(SCORES, [_batch(SCORES, _example(SCORES, "scored"))])


def test_migrations_can_be_applied_again(client):
    assert clickhouse.apply(client, NAMES) == []


def _of(client, view, wanted, identity, column="score_id"):
    query = f"SELECT {wanted} FROM {view} WHERE {column} = {{id:UUID}}"
    return client.query(query, parameters={"id": str(identity)}).result_rows
