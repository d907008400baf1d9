"""`tidemark verify` on the real broker, writer and engine: waiting, stored, dead-lettered, spooled, lost."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from schemas import clickhouse
from schemas.topics import CALLS, every_topic
from services.shared.clickhouse import client
from services.shared.ends import Ends
from services.shared.producer import Outgoing, Producer
from services.shared.settings import SharedSettings
from services.shared.topics import apply
from services.writer.app import build
from services.writer.config import Config
from tests.support.engine import running as running_engine
from tests.support.messages import a_call
from tests.support.process import a_process, running

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[3]
CALLS_EMITTED, MALFORMED = 300, 5


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with running_engine(tmp_path_factory.mktemp("engine")) as found:
        clickhouse.apply(client(SharedSettings(), database="", url=found.url), clickhouse.Names())
        yield found


@pytest.fixture
def tidemark(engine, kafka, tmp_path):
    told = {
        "TIDEMARK_DATA": str(tmp_path),
        "TIDEMARK_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TIDEMARK_KAFKA_PREFIX": kafka.prefix,
        "TIDEMARK_CLICKHOUSE_URL": engine.url,
    }

    async def run(*arguments):
        command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)]
        return await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, check=False
        )

    return run


async def test_a_ledger_is_accounted_for(tidemark, engine, kafka, tmp_path):
    await apply(kafka, every_topic())
    calls = [a_call(called_at=datetime.now(UTC)) for _ in range(CALLS_EMITTED)]
    bad = [uuid4() for _ in range(MALFORMED)]
    outgoing = [Outgoing(CALLS.name, call.key.encode(), call.encode(), ()) for call in [*calls, *calls[:20]]]
    outgoing += [Outgoing(CALLS.name, b"k", f'{{"type":"call.v1","call_id":"{one}"}}'.encode(), ()) for one in bad]
    async with Producer(kafka) as producer:
        await producer.publish(outgoing)
    ledger = tmp_path / "ledger"
    ledger.write_text("".join(f"{one}\n" for one in [*(call.call_id for call in calls), *bad]))
    verify = ("verify", "--ledger", ledger, "--json")

    before = await tidemark(*verify)
    assert (before.returncode, json.loads(before.stdout)["pending"]) == (0, CALLS_EMITTED + MALFORMED)

    config = Config(kafka_bootstrap=kafka.bootstrap, kafka_prefix=kafka.prefix, clickhouse_url=engine.url)
    sink, _ = build(config)
    async with running(sink, a_process(kafka, tmp_path)):
        done = await tidemark(*verify, "--wait", 60)
    expected = {"acknowledged": 305, "stored": 300, "dead_lettered": 5, "lost": 0, "duplicates": 0, "pending": 0}
    assert (done.returncode, json.loads(done.stdout)) == (0, expected)

    lost = uuid4()
    with ledger.open("a") as lines:
        lines.write(f"{lost}\n")
    missing = await tidemark("verify", "--ledger", ledger)
    assert missing.returncode == 1
    assert str(lost) in missing.stderr

    spool = tmp_path / "spool"
    await in_a_spool(tidemark, kafka, lost, spool, verify)
    # The gateway refused it after the client's spool had acknowledged it: it lies there with the reason.
    (spool / "rejected.jsonl").write_text(json.dumps({"id": str(lost), "field": "called_at"}) + "\n")
    refused = await tidemark(*verify, "--spool", spool)
    assert (refused.returncode, json.loads(refused.stdout)) == (0, expected | {"acknowledged": 306, "dead_lettered": 6})


async def in_a_spool(tidemark, kafka, lost, spool, verify):
    spool.mkdir()
    (spool / "1.spool").write_text(f'00000000 {{"call_id":"{lost}"}}\n')
    spooled = await tidemark(*verify, "--spool", spool)
    assert (spooled.returncode, json.loads(spooled.stdout)["pending"]) == (0, 1)

    # What a segment noted as sent to this very broker run holds is on the broker, or lost.
    (spool / "1.sent").write_text("another run")
    assert json.loads((await tidemark(*verify, "--spool", spool)).stdout)["pending"] == 1
    async with Ends(kafka, [CALLS.name], "test") as ends:
        (spool / "1.sent").write_text(await ends.broker_run())
    assert json.loads((await tidemark(*verify, "--spool", spool)).stdout)["lost"] == 1


async def test_query_reads_and_only_reads(tidemark):
    asked = await tidemark("query", "SELECT 1 AS a", "--json")
    assert (asked.returncode, json.loads(asked.stdout)) == (0, {"a": 1})
    refused = await tidemark("query", "DROP TABLE calls_rows")
    assert (refused.returncode, "READONLY" in refused.stderr) == (1, True)


async def test_what_cannot_be_reached_or_read_is_said_with_exit_code_2(tidemark, tmp_path):
    (tmp_path / "ledger").write_text("nonsense\n")
    broken = await tidemark("verify", "--ledger", tmp_path / "ledger")
    assert (broken.returncode, "line 1" in broken.stderr) == (2, True)
    (tmp_path / "empty").write_text("")
    away = await tidemark("verify", "--ledger", tmp_path / "empty", "--url", "http://127.0.0.1:9")
    assert away.returncode == 2
