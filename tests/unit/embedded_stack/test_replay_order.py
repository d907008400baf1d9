"""What a replay is asked to do, and what it refuses to be asked."""

import json
from datetime import UTC, datetime

import pytest

from services.embedded.replay_order import Place, order
from services.embedded.replaying import environment
from services.shared.settings import SharedSettings


def test_an_order_names_topic_service_start_and_end():
    wanted = order("calls.v1", "latency", start="2026-01-31T10:00:00", end="17", name="again")
    assert (wanted.topic.name, wanted.service.name, wanted.name) == ("calls.v1", "latency", "again")
    assert (wanted.start, wanted.end) == (Place(time=datetime(2026, 1, 31, 10, tzinfo=UTC)), Place(offset=17))


@pytest.mark.parametrize(
    ("topic", "service", "told", "said"),
    [
        ("calls.v1", "latency", {"start": "yesterday"}, "neither an offset nor a time"),
        ("calls.v1", "latency", {"start": "0", "end": "soon"}, "neither an offset nor a time"),
        ("calls.v1", "latency", {"start": "²"}, "neither an offset nor a time"),
        ("calls.v1", "latency", {"start": "0", "name": "a/b c"}, "names no replay"),
        ("calls.v1", "latency", {"start": "0", "name": "a" * 101}, "names no replay"),
        ("windows.v1", "alerter", {"start": "0"}, "it would act"),
        ("calls.v1", "nobody", {"start": "0"}, "latency"),
        ("scores.v1", "latency", {"start": "0"}, "it reads calls.v1"),
        ("calls.v1", "latency", {"start": "0", "settings": ("TIDEMARK_WRITER_X=1",)}, "TIDEMARK_LATENCY_NAME=VALUE"),
        ("calls.v1", "latency", {"start": "0", "settings": ("TIDEMARK_LATENCY_X",)}, "TIDEMARK_LATENCY_NAME=VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_remedy(topic, service, told, said):
    with pytest.raises(ValueError, match=said):
        order(topic, service, **told)


def test_the_service_finds_the_shared_settings_its_own_and_where_to_end():
    wanted = order("calls.v1", "latency", start="0", name="again", settings=("TIDEMARK_LATENCY_PRICES=new.yaml",))
    outside = {"HOME": "/", "TIDEMARK_WRITER_X": "1", "TIDEMARK_LATENCY_BATCH_RECORDS": "7"}
    found = environment(wanted, SharedSettings(kafka_prefix="p."), [3, 4], outside)
    assert found["TIDEMARK_KAFKA_PREFIX"] == "p."
    assert (found["TIDEMARK_LATENCY_PRICES"], found["TIDEMARK_LATENCY_BATCH_RECORDS"]) == ("new.yaml", "7")
    assert json.loads(found["TIDEMARK_LATENCY_REPLAY_ENDS"]) == {"calls.v1": [3, 4]}
    assert found["TIDEMARK_LATENCY_REPLAY"] == "again"
    assert "TIDEMARK_WRITER_X" not in found
