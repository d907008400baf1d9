"""What other people's software would lose or hide by default is used nowhere; see docs/reference/traps.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from schemas.clickhouse import migrations
from tests.house import tree

OURS = {
    str(path.relative_to(tree.ROOT)): ast.parse(path.read_text())
    for path in tree.python_files()
    if path.relative_to(tree.ROOT).parts[0] in {"services", "cli", "client", "demo"} and "tests" not in path.parts
}
TABLES = {
    name: statement
    for migration in migrations()
    for statement in re.split(r";\s*\n", migration.text)
    for name in re.findall(r"CREATE TABLE IF NOT EXISTS \{database\}\.(\w+)", statement)
}
VIEWS = {
    name: statement
    for migration in migrations()
    for statement in re.split(r";\s*\n", migration.text)
    for name in re.findall(r"CREATE VIEW IF NOT EXISTS \{database\}\.(\w+)", statement)
}
SQL = [path for path in tree.tracked() if path.suffix == ".sql"]
DEPLOY = tree.ROOT / "deploy"


def using(package: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a module that imports `package`."""
    for name, parsed in OURS.items():
        imported = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(parsed)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        if any(each.partition(".")[0] == package for each in imported):
            yield from ((name, node) for node in ast.walk(parsed) if isinstance(node, ast.Call))


def method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_faust_is_used_in_two_files_and_only_as_a_source():
    calls = list(using("faust"))
    assert {name for name, _ in calls} <= {"services/shared/agent.py", "services/shared/commit_guard.py"}
    streams = {"take", "noack", "noack_take", "events", "group_by", "through"}
    assert {method(call) for _, call in calls} & streams == {"noack_take"}
    kept = {"Table", "GlobalTable", "SetTable", "SetGlobalTable"}
    assert {method(call) for _, call in calls} & (kept | {"cast", "ask", "add_sink"}) == set()


def test_an_offset_is_committed_by_name_and_never_by_a_timer():
    calls = [(name, call) for name, call in using("aiokafka")]
    commits = [(name, call) for name, call in calls if method(call) == "commit"]
    assert "services/shared/consumer.py" in {name for name, _ in commits}
    assert [name for name, call in commits if not call.args] == []
    members = [(name, call) for name, call in calls if method(call) == "AIOKafkaConsumer"]
    given = [(name, {each.arg: each.value for each in call.keywords}) for name, call in members]
    in_groups = [(name, words) for name, words in given if not _is(words.get("group_id"), None) and "group_id" in words]
    assert in_groups
    assert [name for name, words in in_groups if not _is(words.get("enable_auto_commit"), False)] == []


def test_no_producer_is_flushed_and_nothing_is_sent_in_lz4():
    """`flush()` hides what failed; lz4 costs aiokafka more than it saves."""
    for name, call in using("aiokafka"):
        assert not (method(call) == "flush" and "stdout" not in ast.unparse(call)), name
        assert "compression_type" not in {each.arg for each in call.keywords}, name


def test_nobody_believes_how_many_rows_an_insert_says_it_wrote():
    """After a kill in the wrong moment a retry says so and has written none; what counts is what a query finds."""
    outside = [name for name in OURS if not name.startswith("services/embedded/clickhouse/")]
    assert [name for name in outside if "written_rows" in ast.unparse(OURS[name])] == []


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_not_deduplicated_by_tokens_and_is_on_the_disk_when_it_answers(name):
    statement = TABLES[name]
    assert "non_replicated_deduplication_window = 0, fsync_after_insert = 1, fsync_part_directory = 1" in statement
    assert "ENGINE = {engine}(row_version)" in statement


@pytest.mark.parametrize("name", TABLES)
def test_where_a_row_lies_and_which_one_wins_does_not_depend_on_the_clock(name):
    where = re.search(r"(PARTITION BY .*\n)?ORDER BY .*", TABLES[name])
    assert where
    assert not [clock for clock in ("now", "today", "inserted_at", "received_at") if clock in where[0]]
    assert not re.search(r"\b(DEFAULT|MATERIALIZED|ALIAS)\b", TABLES[name])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_through_a_view_that_sees_each_row_once(name):
    view = VIEWS[name.removesuffix("_rows")]
    assert f"FROM {{database}}.{name} FINAL" in view
    assert view.rstrip().endswith("SETTINGS do_not_merge_across_partitions_select_final = 1")


def test_nothing_adds_up_what_may_come_twice():
    for path in SQL:
        assert "MATERIALIZED VIEW" not in path.read_text().upper(), path
    assert not [name for name, text in TABLES.items() if "Summing" in text or "Aggregating" in text]


def refused(sql: str) -> list[str]:
    """The row policies of a text that would be OR-ed with another."""
    return [
        policy
        for policy in re.findall(r"CREATE ROW POLICY[^;]*", sql, re.IGNORECASE)
        if not re.search(r"\bAS\s+RESTRICTIVE\b", policy, re.IGNORECASE)
    ]


def test_row_policies_are_restrictive():
    assert refused("CREATE ROW POLICY p ON t USING tenant = 'a' TO analyst;") != []
    assert refused("CREATE ROW POLICY p ON t AS RESTRICTIVE USING tenant = 'a' TO analyst;") == []
    assert [path for path in SQL if refused(path.read_text())] == []


def test_the_log_of_a_server_about_itself_ends():
    found = ElementTree.parse(DEPLOY / "clickhouse" / "system_logs.xml").getroot()  # our own file
    assert {"query_log", "metric_log", "text_log", "trace_log", "asynchronous_metric_log"} <= {log.tag for log in found}
    for log in found:
        ttl = log.findtext("ttl")
        assert log.get("remove") == "1" or (ttl and re.fullmatch(r"event_date \+ INTERVAL \d+ DAY DELETE", ttl)), (
            log.tag
        )
    compose = yaml.safe_load(Path(tree.ROOT / "docker-compose.yml").read_text())
    mounted = [each for each in compose["services"]["clickhouse"]["volumes"] if "system_logs.xml" in each]
    assert mounted == ["./deploy/clickhouse/system_logs.xml:/etc/clickhouse-server/config.d/system_logs.xml:ro"]
