"""What Faust does by itself, and what of it is set otherwise: an upgrade that changes either is seen here."""

from inspect import signature

import faust
import pytest
from faust.transport.drivers.aiokafka import Consumer

from services.shared import agent as agents
from services.shared.agent import safe_app
from services.shared.commit_guard import GuardedConsumer, GuardedTransport
from services.shared.errors import Unusable
from services.shared.kafka import Kafka
from tests.support.process import a_process
from tests.unit.shared.test_commit_guard import PLACE, Bare


@pytest.fixture
def ours(tmp_path):
    return safe_app(Kafka("127.0.0.1:1", session_seconds=45.0), "g", tmp_path)


@pytest.fixture
def by_default(tmp_path):
    return faust.App("by_default", broker="kafka://127.0.0.1:1", datadir=str(tmp_path / "faust"))


def test_its_defaults_are_the_ones_that_were_refused(by_default):
    conf = by_default.conf
    assert conf.producer_request_timeout == 1200.0
    assert conf.broker_session_timeout == 60.0
    assert conf.topic_replication_factor == 1
    assert conf.topic_allow_declare is True
    assert conf.stream_buffer_maxsize == 4096
    assert conf.web_enabled is True
    assert (str(conf.web_bind), conf.web_port) == ("0.0.0.0", 6066)  # what it says, not where we listen


def test_ours_are_set_one_by_one(ours):
    conf = ours.conf
    assert conf.producer_request_timeout == 30.0
    assert conf.producer_acks == -1
    assert conf.stream_wait_empty is True  # else SIGTERM commits unfinished work
    assert conf.stream_buffer_maxsize == agents.BUFFERED < 1000
    assert conf.topic_allow_declare is False
    assert conf.topic_disable_leader is True
    assert conf.web_enabled is False
    assert conf.autodiscover is False
    assert conf.consumer_auto_offset_reset == "earliest"
    assert conf.processing_guarantee.value == "at_least_once"
    assert str(conf.store) == "memory:"


def test_a_session_may_be_longer_than_faust_waits_for_an_answer_by_default(ours):
    assert ours.conf.broker_session_timeout == 45.0 < ours.conf.broker_request_timeout


def test_its_commits_go_through_the_guard(ours):
    assert isinstance(ours.transport, GuardedTransport)
    assert ours.transport.Consumer is GuardedConsumer


def test_the_agent_takes_raw_bytes_one_at_a_time(monkeypatch, tmp_path):
    """A serializer of Faust's that fails ends the agent silently, or commits the message without a letter."""
    seen = {}

    class App:
        def topic(self, *_names, **options):
            seen["topic"] = options

        def agent(self, _topic, **options):
            seen["agent"] = options
            return lambda _: None

    monkeypatch.setattr(agents, "safe_app", lambda *_: App())
    life = agents._Life.__new__(agents._Life)
    life._agent = agents.Agent("latency", reads=[], record=lambda _: None, step=lambda _: None)
    life._process, life._decoders = a_process(Kafka("127.0.0.1:1"), tmp_path), {}
    life._app(_Producer())
    assert (seen["topic"]["key_serializer"], seen["topic"]["value_serializer"]) == ("raw", "raw")
    assert seen["agent"]["concurrency"] == 1


class _Producer:
    broker_run = "run"


def test_without_the_guard_a_hole_is_committed_over():
    """faust#606: when it is mended and released, this fails, and the guard may go."""

    class Unguarded(Bare):
        _new_offset = Consumer._new_offset

    assert Unguarded(2585, [2586, 2587], in_hand=[2585])._new_offset(PLACE) == 2588
    assert Unguarded(None, [1, 2, 3], in_hand=[0])._new_offset(PLACE) == 4


def test_an_interpreter_without_the_compiled_iterator_is_refused(monkeypatch):
    monkeypatch.setattr(agents.faust.streams, "_CStreamIterator", None)
    with pytest.raises(Unusable, match="NO_CYTHON"):
        agents._assert_compiled()


def test_only_noack_take_acknowledges_nothing_by_itself():
    assert "within" in signature(faust.Stream.noack_take).parameters
