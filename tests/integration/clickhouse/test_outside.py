"""What would reach from a statement to files, addresses or processes, at the real engine."""

import socket
from pathlib import Path

import httpx
import pytest

from tests.support.engine import running

pytestmark = pytest.mark.embedded

SECRET = "hunter2"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with running(tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("outside")
    (made / "secret.txt").write_text(f"{SECRET}\n")
    return made


READING = [
    "SELECT * FROM `{}/secret.txt`",
    'SELECT * FROM "{}/secret.txt"',
    "SELECT * FROM '{}/secret.txt'",
    "SELECT * FROM numbers(1) AS n, '{}/secret.txt' AS s",
    "SELECT * FROM files_of_this_machine.`{}/secret.txt`",
    "SELECT * FROM loop('default', '{}/secret.txt') LIMIT 1",
    "SELECT * FROM `fi\\x6ce`('{}/secret.txt', 'LineAsString')",
    "SELECT $$'$$, file('{}/secret.txt'), ''",
    "SELECT file\u00a0('{}/secret.txt')",
    "SELECT \u2018'\u2019, file(\u2018{}/secret.txt\u2019), ''",
    "SELECT 1 /* /* */ ' */, file('{}/secret.txt') -- '",
    "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '{}/secret.txt'",
    "SELECT 1 FORMAT Protobuf SETTINGS format_schema = '{}/secret.txt:M'",
]
WRITING = [
    "INSERT INTO FUNCTION `fi\\x6ce`('{}/out.txt', 'LineAsString', 's String') SELECT 'pwn'",
    "INSERT INTO `{}/out.csv` SELECT 'pwn'",
    "CREATE TABLE f (s String) ENGINE = `Fi\\x6ce`(LineAsString, '{}/secret.txt')",
    "CREATE TABLE r (a UInt64) ENGINE = EmbeddedRocksDB(0, '{}/rocks') PRIMARY KEY a",
    "CREATE TABLE l (s String) ENGINE = FileLog('{}/secret.txt', 'LineAsString')",
]


@pytest.mark.parametrize("sql", READING)
@pytest.mark.parametrize("port", ["url", "read_only_url"])
def test_no_file_is_read(engine, folder, port, sql):
    answer = httpx.post(getattr(engine, port), content=sql.format(folder).encode())
    assert answer.status_code >= 400
    assert SECRET not in answer.text


@pytest.mark.parametrize("sql", WRITING)
def test_no_file_is_made_or_bound_to_a_table(engine, folder, sql):
    assert httpx.post(engine.url, content=sql.format(folder)).status_code >= 400
    assert [path.name for path in folder.iterdir()] == ["secret.txt"]


@pytest.mark.parametrize("port", ["url", "read_only_url"])
@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT * FROM {t:Identifier}", "param_t"),
        ("SELECT 1 FORMAT Template", "format_template_resultset"),
        ("SELECT 1 FORMAT Template", "Format_Template_Row"),
    ],
)
def test_no_parameter_of_the_address_names_a_file(engine, folder, port, sql, name):
    answer = httpx.post(getattr(engine, port), params={name: f"{folder}/secret.txt"}, content=sql)
    assert answer.status_code >= 400
    assert SECRET not in answer.text


def test_no_row_of_an_insert_is_the_content_of_a_file(engine, folder):
    httpx.post(engine.url, content="CREATE TABLE v (s String) ENGINE = Memory").raise_for_status()
    for form in ("VALUES", "FORMAT Values", "FORMAT `values`"):
        answer = httpx.post(engine.url, content=f"INSERT INTO v {form} (file('{folder}/secret.txt'))")
        assert answer.status_code >= 400
    assert httpx.post(engine.url, content="SELECT count() FROM v").text == "0\n"


@pytest.mark.parametrize("source", ["SOURCE(HTTP(URL '{}' FORMAT 'TSV'))", "`source` (http(url '{}' format 'TSV'))"])
def test_no_dictionary_connects_anywhere(engine, source):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        made = f"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k {source.format(address)}"
        assert httpx.post(engine.url, content=f"{made} LAYOUT(FLAT()) LIFETIME(0)").status_code >= 400
        assert httpx.post(engine.url, content="SELECT dictGet('d', 'v', toUInt64(1))").status_code >= 400
        with pytest.raises(TimeoutError):
            listener.accept()


def test_what_is_not_granted_is_refused_by_the_engine_whatever_it_is_called(engine):
    """Sources are granted one by one, so those of a later version are refused too."""
    granted = httpx.post(engine.url, content="SHOW GRANTS").text
    assert granted.count("GRANT") == 1
    for source in ("FILE", "URL", "S3", "REMOTE", "SOURCES", "NAMED COLLECTION", "CREATE USER"):
        assert source not in granted


def test_names_texts_and_comments_as_they_are_usual_pass(engine):
    for sql in (
        "CREATE TABLE usual (a UInt64, source String) ENGINE = ReplacingMergeTree ORDER BY a",
        "INSERT INTO usual (a, source) VALUES (1, 'x; $1 \u00fc file(')",
        "SELECT source AS \"tokens/s\", '$' /* \u00fc */ FROM usual FINAL -- \u00fc",
        "CHECK TABLE usual",
        "ALTER TABLE usual ADD COLUMN b UInt8",
        "OPTIMIZE TABLE usual FINAL",
        "CREATE VIEW seen AS SELECT count() AS n FROM usual",
        "DROP TABLE usual",
    ):
        httpx.post(engine.url, content=sql.encode()).raise_for_status()
