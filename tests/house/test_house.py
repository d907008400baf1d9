"""The house rules, enforced."""

import ast
import re

import pytest
import yaml

from schemas.topics import TOPICS
from services.embedded.services import SERVICES as PROCESSES
from tests.house import tree

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "stuff"}
BESIDE = {group: service.name for service in PROCESSES for group in service.beside}
SIX_FILES = {"README.md", "__main__.py", "app.py", "config.py", "metrics.py"}
STATUS_ROWS = (
    "stability",
    "reads",
    "writes",
    "delivery",
    "state",
    "order",
    "a bad message",
    "scales by",
    "when it is down",
)
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
# Generated, or text that a page needs in one piece.
UNMEASURED = re.compile(r"package-lock\.json|requirements/|schemas/(json|released|examples)/|LICENSE")
SERVICES = tree.services()


def test_no_file_is_longer_than_a_reader_can_hold():
    measured = [path for path in tree.tracked() if path.suffix in {".py", ".js", ".css", ".html", ".sh"}]
    long = {tree.name(path): lines for path in measured if (lines := _lines(path)) > LONGEST_FILE}
    assert not long


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{tree.name(path)}:{function.name}": length
        for path in tree.python_files()
        for function in tree.functions(path)
        if (length := _body_lines(function)) > LONGEST_FUNCTION
    }
    assert not long


def test_no_name_says_nothing():
    parts = {part.removesuffix(".py") for path in tree.python_files() for part in path.relative_to(tree.ROOT).parts}
    assert not parts & FORBIDDEN_NAMES


def test_every_module_says_what_it_is_in_one_line():
    silent = [
        tree.name(path)
        for path in tree.python_files()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_has_the_same_files_as_every_other(service):
    present = {path.name for path in service.iterdir()}
    assert present >= SIX_FILES
    assert f"{service.name}.py" in present or (service / service.name).is_dir()


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_readme_begins_with_the_status_table(service):
    text = (service / "README.md").read_text()
    rows = [match[1].strip() for match in re.finditer(r"^\| *([^|]+?) *\|", text, re.MULTILINE)]
    found = [row for row in rows if row in STATUS_ROWS]
    assert tuple(found[: len(STATUS_ROWS)]) == STATUS_ROWS


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_readmes_and_topics_agree(topic):
    built = {path.name for path in SERVICES}
    consumers = [BESIDE.get(name, name) for name in topic.consumers]
    for row, declared in (("reads", (*consumers, *topic.observers)), ("writes", topic.producers)):
        said = {service.name for service in SERVICES if topic.name in _row(service, row)}
        assert said - {"writer"} == (set(declared) & built) - {"writer"}, f"{row} {topic.name}"


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_the_pure_file_knows_no_broker_database_web_or_clock(service):
    pure = service / f"{service.name}.py"
    if not pure.exists():
        pytest.skip("the pure part is a folder")
    imported = {name.partition(".")[0] for name in _imports(pure)}
    assert not imported & {"aiokafka", "faust", "sqlalchemy", "clickhouse_connect", "fastapi", "starlette", "os"}
    assert not re.search(r"\b(datetime\.now|time\.time|monotonic)\(", pure.read_text())


def test_migrations_are_numbered_without_gaps():
    folder = tree.ROOT / "schemas/clickhouse"
    numbers = sorted(int(path.name[:4]) for path in folder.glob("[0-9]*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_topic_says_what_it_carries():
    for path in sorted((tree.ROOT / "schemas/topics").glob("*.yaml")):
        declared = yaml.safe_load(path.read_text())
        assert declared["meaning"].endswith("."), path.name


def test_no_registry_host_and_no_path_of_a_machine_is_committed():
    hosts = re.compile(
        r"https?://[^\s\"']*(" + "|".join(("pypi", "pythonhosted", "npmjs", r"debian\.org", "maven" + r"\.org")) + ")"
    )
    paths = re.compile(r"(?<![\w.])/(root|work|home/\w+)/")
    found = [
        tree.name(path)
        for path in tree.tracked()
        if path.suffix not in {".png", ".safetensors", ".npz"}
        and (hosts.search(text := path.read_text(errors="replace")) or paths.search(text))
    ]
    assert not found


def _lines(path):
    return 0 if UNMEASURED.search(tree.name(path)) else len(path.read_text().splitlines())


def _body_lines(function):
    """Lines of code: the docstring pays nothing."""
    start = function.body[0]
    has_docstring = isinstance(start, ast.Expr) and isinstance(start.value, ast.Constant)
    return function.end_lineno - (start.end_lineno if has_docstring else function.lineno)


def _row(service, row):
    match = re.search(rf"^\| *{row} *\|(.*)\|", (service / "README.md").read_text(), re.MULTILINE)
    return match[1] if match else ""


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
