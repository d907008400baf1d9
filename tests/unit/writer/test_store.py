"""In which order a batch is stored."""

import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from schemas.topics import SCORES
from services.shared.errors import Transient
from tests.support.engine import store
from tests.support.messages import a_call, a_score_of


class Client:
    """Takes rows into every table but those that are `away`, and writes down which it was asked to."""

    def __init__(self, *away: str) -> None:
        self.away, self.asked = away, []

    def insert_arrow(self, name, _rows, settings):
        self.asked.append(name)
        if name in self.away:
            raise OperationalError("away")


def test_a_range_is_recorded_after_its_rows():
    client = Client()
    store(client, SCORES, [a_score_of(a_call())])
    assert client.asked == ["scores_rows", "ingest_ranges_rows"]


def test_no_range_is_recorded_of_rows_that_were_not_taken():
    client = Client("scores_rows")
    with pytest.raises(Transient):
        store(client, SCORES, [a_score_of(a_call())])
    assert client.asked == ["scores_rows"]
