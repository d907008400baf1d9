"""The share of each format in a window, as the README asks for it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import clickhouse_connect
import pytest

import services.quality
from schemas import clickhouse
from schemas.messages import Segment
from schemas.topics import WINDOWS
from services.quality.quality import formats
from services.shared.scoring import Evaluator
from services.shared.sink import Batch, Record
from services.shared.tumbling import Timing
from services.windower.windower import Partition
from services.writer.store import Store
from tests.support.engine import running
from tests.support.messages import CALLED_AT, a_call

pytestmark = pytest.mark.embedded
README = Path(services.quality.__file__).parent / "README.md"


def windows_of(version, texts, **fields):
    """What the windower makes of the scores of these responses."""
    partition, evaluator = Partition(0, [60], timing=Timing(settle_seconds=0)), Evaluator("quality", "2")
    for offset, text in enumerate(texts):
        call = a_call(version=version, response=text, **fields)
        partition.add(evaluator.score(call, formats.STRUCTURE, formats.structure(call)), offset)
    list(partition.tick(CALLED_AT.timestamp()))
    return list(partition.tick(CALLED_AT.timestamp() + 62))


def test_shares_of_formats_by_window_and_version(tmp_path):
    (query,) = re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL)
    old = windows_of("v1", ['{"a": 1}', '{"a": 2}', '{"a": 3}', "Prose."])
    new = windows_of("v2", ["Prose."]) + windows_of("v2", ["Prose.", "Prose.", '{"a": 1}'], app="b")
    assert {window.segment for window in old} == {Segment(tenant="t", app="a", environment="test", version="v1")}
    with running(tmp_path / "engine") as engine:
        client = clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse)
        clickhouse.apply(client, clickhouse.Names())
        client = clickhouse_connect.get_client(
            host="127.0.0.1", port=engine.ports.clickhouse, database=clickhouse.Names().database
        )
        records = [Record(window, WINDOWS.name, 0, offset, "run", 0) for offset, window in enumerate(old + new)]
        last = len(records) - 1
        batch = Batch(topic=WINDOWS, partition=0, broker_run="run", first_offset=0, last_offset=last, records=records)
        Store(lambda: client, lambda: datetime.now(UTC)).write(WINDOWS, [batch])
        shares = {(row[1], row[2]): row[3] for row in client.query(query).result_rows}
    assert shares == {("v1", "json"): 0.75, ("v1", "prose"): 0.25, ("v2", "json"): 0.25, ("v2", "prose"): 0.75}
