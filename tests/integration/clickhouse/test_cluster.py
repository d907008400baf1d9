"""The migrations as a cluster gets them: read by the real parser, executed nowhere here."""

import re

import clickhouse_connect
import pytest

from schemas import clickhouse
from schemas.clickhouse import Names, migrations
from tests.support.engine import running

pytestmark = pytest.mark.embedded
CLUSTER = Names(on_cluster="ON CLUSTER 'main'", engine="ReplicatedReplacingMergeTree")
STATEMENTS = [
    statement
    for text in (clickhouse.LEDGER, *(migration.text for migration in migrations()))
    for statement in clickhouse.Migration(0, "", text).statements(CLUSTER)
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running(tmp_path_factory.mktemp("engine")) as engine:
        yield clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: " ".join(text.split()[:6])[:60])
def test_a_statement_is_one_for_the_whole_cluster(client, statement):
    assert client.query(f"EXPLAIN AST {statement}").result_rows
    assert re.match(r"(CREATE|ALTER|DROP|RENAME) .*?ON CLUSTER 'main'", statement, re.DOTALL)
    assert "{" not in re.sub(r"\{\w+:\w+[^}]*\}", "", statement), "a placeholder is left"


def test_every_table_is_replicated():
    tables = [statement for statement in STATEMENTS if statement.startswith("CREATE TABLE")]
    assert len(tables) > 10
    assert [each for each in tables if not re.search(r"ENGINE = Replicated\w*MergeTree", each)] == []
