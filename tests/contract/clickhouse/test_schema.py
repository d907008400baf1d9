"""The migrations lead to the committed `schema.sql`."""

import pytest

from schemas import clickhouse
from services.shared.clickhouse import client
from services.shared.settings import SharedSettings
from tests.support.engine import running

pytestmark = pytest.mark.embedded


def test_the_migrations_lead_to_the_expected_schema(tmp_path):
    with running(tmp_path) as engine:
        connected = client(SharedSettings(), database="", url=engine.url)
        clickhouse.apply(connected, clickhouse.Names(database="elsewhere"))
        assert clickhouse.described(connected, "elsewhere") == (clickhouse.FOLDER / "schema.sql").read_text()
        assert clickhouse.pending(connected, clickhouse.Names(database="elsewhere")) == []
