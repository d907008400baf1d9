"""How a replay waits for its end, and what it says where it is broken off; without a broker."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from cli.main import main
from services.embedded import replaying
from services.embedded.replay_order import order
from services.shared.settings import SharedSettings

PLACE = TopicPartition("calls.v1", 0)
ORDER = ["replay", "calls.v1", "--from", "0", "--service", "latency"]


class Broker:
    """An admin client that gives one answer after another: an offset, or an error; `runs` are those of its log."""

    def __init__(self, answers, runs):
        self.answers, self.runs, self._client = list(answers), list(runs), None

    def __call__(self, **_):
        return self

    async def start(self):
        pass

    async def close(self):
        pass

    async def run(self, _):
        return self.runs.pop(0)

    async def list_consumer_group_offsets(self, _group, partitions):
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return {place: SimpleNamespace(offset=found) for place in partitions}


@pytest.fixture
def until_read(monkeypatch, tmp_path):
    async def stop(_):
        pass

    async def start(*_):
        return SimpleNamespace(running=True, stop=stop)

    async def until_read(answers, runs):
        broker = Broker(answers, runs)
        monkeypatch.setattr(replaying, "AIOKafkaAdminClient", broker)
        monkeypatch.setattr(replaying, "broker_run", broker.run)
        monkeypatch.setattr(replaying, "_LOOK_SECONDS", 0)
        monkeypatch.setattr(replaying.Child, "start", start)
        run = replaying._Run(order("calls.v1", "latency", start="0"), SharedSettings(data=tmp_path))
        return await run.until_read(replaying._Span({PLACE: 0}, {PLACE: 9}), lambda *_: None)

    return until_read


async def test_a_broker_that_does_not_answer_for_a_moment_breaks_no_replay_off(until_read):
    answers = [3, KafkaConnectionError("refused"), TimeoutError(), 9]
    assert await until_read(answers, ["a", "a", "a"]) == (True, "")


async def test_a_broker_that_has_begun_another_log_is_not_waited_for(until_read):
    answers = [3, KafkaConnectionError("refused")]
    assert await until_read(answers, ["a", "b"]) == (False, "the broker has begun another log")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (KafkaConnectionError("refused"), 2)])
def test_what_is_broken_off_says_how_it_goes_on(error, code, monkeypatch, capsys, tmp_path):
    async def broken_off(*_):
        raise error

    monkeypatch.setattr(replaying, "replay", broken_off)
    with pytest.raises(SystemExit) as ended:
        main([*ORDER, "--data", str(tmp_path)])
    first, last = capsys.readouterr().err.splitlines()
    name = first.removeprefix("replay ").partition(":")[0]
    assert ended.value.code == code
    assert len(name) == len("20260131T100000")
    assert last.endswith(f"`--name {name}` goes on")
