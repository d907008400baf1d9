"""ClickHouse's HTTP interface, spoken by its own client and by hand, to the real engine."""

import gzip
import threading

import clickhouse_connect
import httpx
import lz4.frame
import pyarrow as pa
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.support.engine import running

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with running(tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture
def ask(engine):
    with httpx.Client(base_url=engine.url) as http:
        yield lambda sql, **parameters: http.post("/", params=parameters, content=sql)


@pytest.fixture
def table(ask):
    ask("CREATE OR REPLACE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a").raise_for_status()
    return "t"


def rows(ask):
    return ask("SELECT a, s FROM t ORDER BY a FORMAT TSV").text


def test_the_official_client_inserts_and_asks(engine, table):
    client = clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse)
    client.insert("t", [[1, "x"], [2, "y"]], column_names=["a", "s"])
    client.insert_arrow("t", pa.table({"a": pa.array([3], pa.uint64()), "s": ["z"]}))
    assert client.query("SELECT s FROM t WHERE a = {a:UInt64}", {"a": 3}, settings={"max_threads": 1}).result_rows == [
        ("z",)
    ]
    assert client.query_arrow("SELECT a FROM t ORDER BY a").column(0).to_pylist() == [1, 2, 3]
    assert client.command("SELECT count() FROM t") == 3


def test_the_official_client_raises_the_engines_own_code(engine):
    client = clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse)
    with pytest.raises(DatabaseError) as raised:
        client.query("SELECT nope")
    assert raised.value.code == 47


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("JSONEachRow", b'{"a":1,"s":"x"}\n{"a":2,"s":"y"}\n'),
        ("CSV", b'1,"x"\n2,"y"\n'),
        ("TabSeparated", b"1\tx\n2\ty\n"),
        ("Values", b"(1,'x'),(2,'y')"),
    ],
)
def test_rows_in_the_body_of_an_insert(ask, table, form, body):
    answer = ask(body, query=f"INSERT INTO t FORMAT {form}")
    assert answer.status_code == 200
    assert '"written_rows":"2"' in answer.headers["x-clickhouse-summary"]
    assert rows(ask) == "1\tx\n2\ty\n"


@pytest.mark.parametrize(
    ("name", "packed"), [("gzip", gzip.compress), ("lz4", lz4.frame.compress), ("zstd", zstandard.compress)]
)
def test_compressed_bodies_and_answers(engine, ask, table, name, packed):
    body = packed(b"INSERT INTO t FORMAT CSV\n" + b"7,seven\n" * 5000)
    httpx.post(engine.url, content=body, headers={"Content-Encoding": name}).raise_for_status()
    with httpx.stream(
        "POST",
        engine.url,
        params={"enable_http_compression": 1},
        content="SELECT s FROM t",
        headers={"Accept-Encoding": name},
    ) as answer:
        assert answer.headers["content-encoding"] == name
        raw = b"".join(answer.iter_raw())
    assert len(raw) < 5000
    assert rows(ask) == "7\tseven\n" * 5000


def test_a_wrong_row_leaves_nothing_of_its_batch(ask, table):
    answer = ask(b'{"a":1,"s":"x"}\n' * 1000 + b'{"a":bad}\n', query="INSERT INTO t FORMAT JSONEachRow")
    assert answer.status_code == 400
    assert rows(ask) == ""


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("ENGINE = MergeTree PARTITION BY a ORDER BY a", "252"),
        (", CONSTRAINT small CHECK a < 10) ENGINE = MergeTree ORDER BY a", "469"),
        ("ENGINE = MergeTree ORDER BY a SETTINGS parts_to_throw_insert = 1, max_delay_to_insert = 0", "252"),
    ],
)
def test_what_a_table_refuses_at_the_end_of_an_insert_is_told(ask, more, code):
    """The engine's streaming insert tells of success here, and its rows are nowhere."""
    ask(f"CREATE OR REPLACE TABLE refusing (a UInt64{more if more[0] == ',' else f') {more}'}").raise_for_status()
    many = b"\n".join(b"%d" % number for number in range(500))
    answers = [ask(many, query="INSERT INTO refusing FORMAT CSV") for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.headers["x-clickhouse-exception-code"] for answer in refused} == {code}
    assert ask("SELECT count() FROM refusing").text == f"{500 * (len(answers) - len(refused))}\n"


def test_an_insert_may_bring_its_settings_and_be_large(ask, table):
    body = b'7,"seven"\n' * 2_000_000
    answer = ask(body, query="INSERT INTO t (a, s) SETTINGS input_format_parallel_parsing = 0 FORMAT CSV")
    assert '"written_rows":"2000000"' in answer.headers["x-clickhouse-summary"]
    assert ask("SELECT count() FROM t").text == "2000000\n"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT * FROM nope", 404, "60"),
        ("SELECT nope", 404, "47"),
        ("SELECT 1 FROM", 400, "62"),
        ("SELECT throwIf(1)", 500, "395"),
        ("SELECT file('/etc/passwd')", 403, "497"),
        ("SELECT 1 SETTINGS nope = 1", 404, "115"),
    ],
)
def test_errors_carry_their_code_and_status(ask, sql, status, code):
    answer = ask(sql)
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (status, code)


def test_a_setting_ends_with_its_request(ask):
    assert ask("SELECT getSetting('max_block_size')", max_block_size=7).text == "7\n"
    assert ask("SELECT getSetting('max_block_size')").text != "7\n"
    ask("SET max_block_size = 7").raise_for_status()
    assert ask("SELECT getSetting('max_block_size')").text != "7\n"


def test_a_database_ends_with_its_request(ask):
    assert ask("SELECT currentDatabase()", database="system").text == "system\n"
    assert ask("SELECT currentDatabase()").text == "default\n"


@pytest.mark.parametrize("name", ["x' = 1 --", "a, b", ""])
def test_a_setting_is_a_name(ask, name):
    assert ask("SELECT 1", **{name: "1"}).headers["x-clickhouse-exception-code"] == "115"


def test_typed_parameters_and_formats(ask):
    assert ask("SELECT {x:String}, {n:UInt8}", param_x="it's", param_n="7").text == "it\\'s\t7\n"
    assert ask("SELECT 1 AS a", default_format="JSONEachRow").json() == {"a": 1}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1, 'x')",
        "DROP TABLE t",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT 1 INTO OUTFILE '/tmp/tidemark-must-not-exist'",
    ],
)
def test_the_read_only_port_only_reads(engine, table, sql):
    answer = httpx.post(engine.read_only_url, content=sql)
    assert answer.headers["x-clickhouse-exception-code"] in {"164", "497"}


def test_a_client_cannot_raise_the_limits_of_the_read_only_port(engine):
    asked = {"max_execution_time": "0", "max_memory_usage": "0", "readonly": "0", "max_result_rows": "999999999"}
    sql = "SELECT getSetting('max_execution_time'), getSetting('readonly'), getSetting('max_result_rows')"
    assert httpx.post(engine.read_only_url, params=asked, content=sql).text == "30\t1\t1000000\n"


def test_a_get_only_reads(engine, table):
    answer = httpx.get(engine.url, params={"query": "INSERT INTO t VALUES (1, 'x')"})
    assert answer.headers["x-clickhouse-exception-code"] == "164"


@pytest.mark.parametrize(
    "headers", [{"Host": "rebound.example"}, {"Origin": "http://127.0.0.1:8701"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_pages_and_foreign_names_are_refused(engine, headers):
    assert httpx.get(engine.url, params={"query": "SELECT 1"}, headers=headers).status_code == 403


def test_a_query_that_takes_too_long_ends(ask):
    answer = ask(
        "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000) SETTINGS max_block_size = 10", max_execution_time=1
    )
    assert answer.headers["x-clickhouse-exception-code"] == "159"


def test_a_slow_query_holds_up_no_insert(ask, table):
    slow = threading.Thread(
        target=ask, args=("SELECT sum(sleepEachRow(0.1)) FROM numbers(30) SETTINGS max_block_size = 1",)
    )
    slow.start()
    ask(b"1,x\n", query="INSERT INTO t FORMAT CSV").raise_for_status()
    assert slow.is_alive()
    slow.join()
