"""What the HTTP interface reads out of a statement before the engine sees it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.embedded.clickhouse.statement import Refused, Statement


@pytest.mark.parametrize(
    ("text", "sql", "form", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2\n", "INSERT INTO t ", "CSV", b"1,2\n"),
        (
            b"insert into `a b`.t (x, y) format Native\n\x00\x01\n",
            "insert into `a b`.t (x, y) ",
            "Native",
            b"\x00\x01\n",
        ),
        (b"INSERT INTO t SETTINGS a = 1 FORMAT CSV 1", "INSERT INTO t SETTINGS a = 1 ", "CSV", b"1"),
        (b"INSERT INTO t FORMAT Values (1)", "INSERT INTO t ", "Values", b"(1)"),
        (b"INSERT INTO t VALUES (1, ';')  ;\n", "INSERT INTO t ", "Values", b" (1, ';')"),
        (
            b"/* FORMAT x */ INSERT INTO t\n-- VALUES\nFORMAT CSV\n",
            "/* FORMAT x */ INSERT INTO t\n-- VALUES\n",
            "CSV",
            b"",
        ),
        (
            b"INSERT INTO t (`values`, `format`) VALUES (1, 2)",
            "INSERT INTO t (`values`, `format`) ",
            "Values",
            b" (1, 2)",
        ),
    ],
)
def test_an_insert_is_split_from_its_rows(text, sql, form, data):
    assert Statement.of(text) == Statement(sql, form, data, reads=False)


@pytest.mark.parametrize(
    "text", [b"INSERT INTO t SELECT * FROM u", b"INSERT INTO t SELECT a FROM u FORMAT CSV", b"CREATE TABLE t (a Int8)"]
)
def test_a_statement_without_rows_is_left_whole(text):
    statement = Statement.of(text)
    assert (statement.sql, statement.data) == (text.decode(), None)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 'FORMAT x'", None),
        (b"SELECT 1 -- FORMAT x", None),
        (b"SELECT 1 FORMAT JSON SETTINGS max_threads = 1;", "JSON"),
        (b"SELECT (SELECT format FROM t)", None),
        ("SELECT 'größe' FORMAT CSV".encode(), "CSV"),
    ],
)
def test_the_format_of_the_answer_is_the_one_written(text, form):
    assert Statement.of(text).format == form


@pytest.mark.parametrize(
    "text", [b"SELECT 1", b" (select 1)", b"WITH 1 AS a SELECT a", b"SHOW TABLES", b"EXPLAIN SELECT 1", b"DESC t"]
)
def test_what_reads(text):
    assert Statement.of(text).reads


@pytest.mark.parametrize("text", [b"KILL QUERY WHERE 1", b"DROP TABLE t", b"SET a = 1", b"SYSTEM FLUSH LOGS", b""])
def test_what_does_not_only_read(text):
    assert not Statement.of(text).reads


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT file('/etc/passwd')",
        b"SELECT * FROM `file`('/etc/passwd', 'LineAsString')",
        b"SELECT * FROM FILE /* x */ ('/etc/passwd')",
        b"SELECT 1 INTO OUTFILE '/tmp/x'",
        b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
        b"INSERT INTO FUNCTION file('/tmp/x') VALUES (1)",
        b"SELECT * FROM python(os)",
        b"SELECT * FROM icebergS3('http://x')",
        b"SELECT aiGenerate('x')",
        b"SELECT * FROM s3('http://127.0.0.1/a')",
    ],
)
def test_what_reaches_beyond_the_database_is_refused(text):
    with pytest.raises(Refused) as refused:
        Statement.of(text)
    assert refused.value.code == 497


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT `fi\\x6ce`('/etc/passwd')",
        b"SELECT $$'$$, file('/etc/passwd'), ''",
        "SELECT file\u00a0('/etc/passwd')".encode(),
        b"SELECT 1 /* /* */ ' */, file('/etc/passwd') -- '",
        b"SELECT 1 /* FORMAT CSV",
        b"INSERT INTO t VALUES (file('/etc/passwd'))",
        b"INSERT INTO t FORMAT Values (file('/etc/passwd'))",
        b"INSERT INTO t SETTINGS format_schema = '/etc/passwd' FORMAT CSV 1",
        b"CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE (HTTP(url 'http://h'))",
        b"SELECT 1 SETTINGS format_template_row = '/etc/passwd'",
    ],
)
def test_what_could_hide_such_a_thing_from_this_reading_is_refused(text):
    with pytest.raises(Refused):
        Statement.of(text)


def test_several_statements_are_refused():
    with pytest.raises(Refused, match="SYNTAX_ERROR"):
        Statement.of(b"SELECT 1; DROP TABLE t")


@pytest.mark.parametrize("text", [b"SELECT 1;", b"SELECT ';file('", b"SELECT file FROM t", b"SELECT 1 -- ; file('x')"])
def test_what_only_looks_like_it_passes(text):
    assert Statement.of(text).sql == text.decode()


@given(st.binary())
def test_any_bytes_are_read_or_refused(text):
    with contextlib.suppress(Refused):
        assert Statement.of(text).sql is not None
