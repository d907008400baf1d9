"""Formats: the verdict is the parser's, the evidence says where, repairs and readings are counted."""

import json
import time
import warnings
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import ExpectedFormat
from services.quality.quality import formats
from services.quality.quality.json_paths import span_of
from services.quality.quality.parsers import violation
from services.shared.scoring import Invalid, Measured, Missing
from tests.support.messages import a_call

ORDER = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {"type": "array", "items": {"type": "integer"}},
        "note": {"type": "string", "minLength": 2},
    },
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["items", "note", "a/b~"]), inner),
    max_leaves=8,
)


def a_response(text, kind=None, definition=None):
    expected = ExpectedFormat(kind=kind, definition=definition) if kind else None
    return a_call(response=text, expected_format=expected)


def parses(parse, text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse(text)
    except (ValueError, SyntaxError, ElementTree.ParseError, RecursionError, MemoryError):
        return False
    return True


PIECES = st.lists(st.sampled_from([*"{ } [ ] 'a' : , 1 null <a> </a> x = \"".split(), '"a"', " ", "\n"]))


@given(PIECES.map("".join) | st.text(max_size=20) | JSON_VALUES.map(json.dumps))
def test_a_verdict_is_the_parsers(text):
    def entity_free(text):
        return ElementTree.fromstring(text.encode() if text.isascii() else text)

    def number(name):  # NaN and the infinities, which Python takes for JSON
        raise ValueError(name)

    assert (violation("json", None, text) is None) == parses(lambda text: json.loads(text, parse_constant=number), text)
    assert (violation("python", None, text) is None) == parses(lambda text: compile(text, "", "exec", 1024), text)
    assert (violation("xml", None, text) is None) == parses(entity_free, text)


@given(JSON_VALUES)
def test_a_schemas_verdict_is_the_reference_implementations(value):
    text = json.dumps(value)
    found = violation("json_schema", ORDER, text)
    assert (found is None) == jsonschema.Draft202012Validator(ORDER).is_valid(value)


@given(JSON_VALUES, st.data())
def test_a_path_is_found_where_it_stands(value, data):
    path, at = [], value
    while isinstance(at, list | dict) and at and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        path, at = [*path, step], at[step]
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 1])))
    assert json.loads(text[slice(*span_of(text, path))]) == at


@pytest.mark.parametrize(
    ("kind", "definition", "text", "broken", "what"),
    [
        ("json", None, '{"a": 1,}', "}", "line 1 column 9: Expecting property name enclosed in double quotes"),
        ("json_schema", ORDER, '{"note": "ok", "items": [1, "2"]}', '"2"', "/items/1: type"),
        ("json_schema", json.dumps(ORDER), '{"note": "x"}', '{"note": "x"}', "/: required"),
        ("xml", None, "<a><b></a>", "a", "/a/b: mismatched tag"),
        ("python", None, "x = (1", "(", "line 1: '(' was never closed"),
        ("regex", r"\d+", "12 apples", "12 apples", "no match"),
        ("choice", ["yes", "no"], "maybe", "maybe", "none of the choices"),
    ],
)
def test_the_evidence_is_the_first_violation_and_its_path(kind, definition, text, broken, what):
    result = formats.validity(a_response(text, kind, definition))
    assert result.value == 0
    [span] = result.evidence
    assert (text[span.start : span.end], span.kind) == (broken, what)


@pytest.mark.parametrize(
    ("kind", "definition", "reason"),
    [
        ("regex", "(?=a)", "no RE2 pattern"),
        ("regex", None, "no pattern"),
        ("regex", {"pattern": ".*"}, "no pattern"),
        ("regex", [".*"], "no pattern"),
        ("choice", "yes", "no list of choices"),
        ("json_schema", {"type": 5}, "no JSON Schema"),
        ("json_schema", {"$ref": "http://127.0.0.1:1/schema"}, "no JSON Schema"),
        ("json_schema", "{", "no JSON Schema"),
        ("json_schema", "[" * 5000, "no JSON Schema"),
    ],
)
def test_a_format_that_cannot_be_used_is_a_failure_of_the_call(kind, definition, reason):
    for metric in (formats.validity, formats.repairability, formats.ambiguity):
        result = metric(a_response("no", kind, definition))
        assert isinstance(result, Invalid)
        assert result.reason.startswith(f"expected_format.definition is {reason}")


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("1e400", None),
        ("-1e400", "/a: minimum"),
        ("1.5e400", None),
        ("1e4000", None),
        ("9" * 5_000, None),
        (f"-{'9' * 5_000}", "/: too much to say where"),
        (f"1e{'9' * 30}", None),
        (f"-1e{'9' * 30}", "/a: minimum"),
        (f"{'9' * 309}.5", "/a: type"),
    ],
)
def test_a_number_that_no_double_holds_is_compared_exactly(number, what):
    schema = {"properties": {"a": {"type": "integer", "minimum": 10}}}
    found = violation("json_schema", schema, f'{{"a": {number}}}')
    assert (found and found.what) == what


def test_a_number_that_no_double_holds_is_itself_in_a_schema_too():
    assert violation("json_schema", '{"const": 1e400}', "null").what == "/: const"
    assert violation("json_schema", '{"const": 1e400}', "10e399") is None
    assert violation("json_schema", f'{{"minimum": {"9" * 5_000}}}', "1e6000") is None
    result = formats.validity(a_response("1", "json_schema", '{"const": NaN}'))
    assert result == Invalid("expected_format.definition is no JSON Schema: NaN is not JSON")


@pytest.mark.parametrize("number", ["1e4000", "9" * 5_000, f"1e{'9' * 30}"])
def test_a_number_that_nobody_looks_at_is_no_violation(number):
    text = f'{{"n": {number}, "note": "\\ud800"}}'
    assert violation("json", None, text) is None
    assert violation("json_schema", {}, text) is None
    note = violation("json_schema", {"properties": {"note": {"type": "null"}}}, text)
    assert (text[note.start : note.end], note.what) == ('"\\ud800"', "/note: type")


@pytest.mark.parametrize("schema", [{"items": {"type": "number", "minimum": 0}}, {"uniqueItems": True}])
@pytest.mark.parametrize("number", ["1e3999", "9" * 4_001])
def test_very_many_numbers_that_no_double_holds_are_refused_at_once(schema, number):
    text = f"[{', '.join([number] * (250_000 // len(number)))}]"
    began = time.perf_counter()
    found = violation("json_schema", schema, text)
    assert (found.start, found.end) == (0, len(text))
    assert found.what == "more than 50 numbers that are too large to be held"
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("around", [{}, {"strict": True}, {"strict": True, "description": "An order."}])
def test_a_schema_in_the_wrapper_of_openai_is_the_schema_inside(around):
    wrapped = {"name": "order", "schema": {"type": "object", "required": ["items"]}, **around}
    for definition in (wrapped, json.dumps(wrapped), {"type": "json_schema", "json_schema": wrapped}):
        assert formats.validity(a_response("{}", "json_schema", definition)).value == 0.0
        assert formats.validity(a_response('{"items": 1}', "json_schema", definition)).value == 1.0


@pytest.mark.parametrize(
    ("kind", "definition", "text", "repairability", "ambiguity"),
    [
        ("json", None, '{"a": 1}', 1.0, 0.0),
        ("json", None, 'Sure!\n```json\n{"a": 1}\n```', 0.5, 0.25),
        ("json", None, 'It is {"a": 1}, as you asked.', 0.5, 0.25),
        ("json", None, '```json\n{"a": 1}\n```\nor\n```json\n{"a": 2}\n```', 0.5, 0.5),
        ("json", None, "{'a': 1, 'b': [1, 2,", 0.25, 0.75),
        ("json", None, "I cannot say.", 0.0, 1.0),
        ("json_schema", ORDER, "{'items': [1,]}", 0.25, 0.75),
        ("json_schema", ORDER, "{'items': ['x',]}", 0.0, 1.0),
        ("choice", ["yes", "no"], "Yes, or no.", 0.5, 0.5),
        ("choice", ["yes", "no"], "No!", 0.5, 0.25),
        ("choice", ["yes", "no"], "I do not know.", 0.0, 1.0),
        ("choice", ["A", "B", "C"], "The answer is B, a good one.", 0.5, 0.25),
        ("choice", ["A", "B", "C"], "It is a.", 0.5, 0.25),
        ("choice", ["A", "B", "C"], "A, B", 0.5, 0.5),
        ("choice", ["yes ", "no"], "yes", 1.0, 0.0),
        ("choice", ["yes ", "no"], "Yes!", 0.5, 0.25),
        ("choice", ["正", "负"], "答案是正。", 0.5, 0.25),
        ("choice", ["yes", "no"], "答案是yes。", 0.5, 0.25),
        ("choice", ["yes", "no"], "yesterday", 0.0, 1.0),
        ("regex", r"\d+", "12 or 13", 0.5, 0.5),
        ("regex", "a*", "bbb", 0.0, 1.0),
        ("python", None, "```python\nx = 1\n```", 0.5, 0.25),
        ("xml", None, "Here: <a>1</a>", 0.5, 0.25),
    ],
)
def test_repairs_and_readings(kind, definition, text, repairability, ambiguity):
    call = a_response(text, kind, definition)
    assert formats.repairability(call).value == repairability
    assert formats.ambiguity(call).value == ambiguity


@pytest.mark.parametrize(
    ("text", "share"),
    [("Prose.", 0.0), ('{"a": 1}', 1.0), ("- one\n- two", pytest.approx(1.0, abs=0.1)), ("", 0.0)],
)
def test_structure_is_a_share_of_the_response(text, share):
    assert formats.structure(a_response(text)).value == share


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Prose.", "prose"),
        ("", "empty"),
        ('{"a": 1}', "json"),
        ("<a><b>1</b></a>", "xml"),
        ("import os\nprint(os)", "python"),
        ("- one\n- two", "list"),
        ('```json\n{"a": [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n```', "json"),
        ("```sql\nSELECT something FROM somewhere\n```", "code"),
        ("A long sentence that says what the block is about.\n```json\n{}\n```", "prose"),
    ],
)
def test_the_format_that_most_of_the_response_is_in_is_a_statistic(text, name):
    assert formats.structure(a_response(text)).statistics == {name: 1.0}


@pytest.mark.parametrize(
    ("kind", "definition", "unit"),
    [
        ("json", None, "["),
        ("json", None, '{"a":'),
        ("json_schema", ORDER, '{"items":['),
        ("xml", None, "<a>"),
        ("xml", None, "<"),
        ("python", None, "not "),
        ("python", None, "1+"),
        ("regex", "(a+)+$", "a"),
        ("regex", "a*", "b"),
        ("choice", ["yes", "no"], "yes "),
        (None, None, "```\n"),
        (None, None, "```json\n{\n"),
    ],
)
def test_a_megabyte_of_the_worst_is_judged(kind, definition, unit):
    call = a_response(unit * (1_000_000 // len(unit)) + "!", kind, definition)
    for measure in formats.MEASURES.values():
        assert isinstance(measure(call), Measured | Missing)


def test_surrogates_are_characters_like_others():
    assert (
        formats.validity(a_response('{"items": ["\ud800"]}', "json_schema", ORDER)).evidence[0].kind == "/items/0: type"
    )
    assert formats.validity(a_response("\ud800", "regex", ".")).value == 1
    assert formats.validity(a_response("<a>\ud800</a>", "xml")).value == 0


def doubled(depth, leaf, **more):
    """A schema that refers twice to one that refers twice to one…: as many as 2 to the power of `depth`."""
    twice = {f"a{at}": {"allOf": [{"$ref": f"#/$defs/a{at + 1}"}] * 2} | more for at in range(depth)}
    return {"$defs": twice | {f"a{depth}": leaf}, "$ref": "#/$defs/a0"}


NAMES = ["a" * at for at in range(1, 40)]


@pytest.mark.parametrize(
    "schema",
    [
        doubled(40, {"type": "string"}),
        doubled(9, {"type": "object", "properties": {"a": True}}, unevaluatedProperties=False),
        {"$ref": "#a", "$defs": {n: {"$anchor": n, "oneOf": [{"$ref": f"#{n}a"}, {"$ref": f"#{n}a"}]} for n in NAMES}},
    ],
)
def test_a_schema_that_grows_with_its_references_is_refused_at_once(schema):
    began = time.perf_counter()
    result = formats.validity(a_response('{"a": 1}', "json_schema", schema))
    assert result == Invalid(
        "expected_format.definition is a JSON Schema of more than 10,000 schemas with its references written out"
    )
    assert time.perf_counter() - began < 1


def test_a_schema_of_many_is_for_a_short_text():
    many = doubled(11, {"type": "string"})
    schema = {"items": {"$ref": many["$ref"]}, "$defs": many["$defs"]}
    assert formats.validity(a_response('["x"]', "json_schema", schema)).value == 1
    result = formats.validity(a_response(json.dumps(["x"] * 50_000), "json_schema", schema))
    assert "too many for 250,000 characters" in result.reason


def test_a_tree_is_held_to_its_schema():
    tree = {"properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}}}
    text = '{"value": 1, "children": [{"value": 2, "children": [{"value": "x"}]}]}'
    [span] = formats.validity(a_response(text, "json_schema", tree)).evidence
    assert (text[span.start : span.end], span.kind) == ('"x"', "/children/0/children/0/value: type")


def test_where_a_text_breaks_nested_choices_is_not_looked_for_without_end():
    branches = [{"properties": {"a": {"$ref": "#/$defs/e"}, "kind": {"const": kind}}} for kind in range(4)]
    schema = {"$defs": {"e": {"anyOf": [{"type": "number"}, *branches]}}, "$ref": "#/$defs/e"}
    text = '{"kind": 3, "a": ' * 9 + "{}" + "}" * 9
    assert formats.validity(a_response(text, "json_schema", schema)).value == 1
    text = text.replace("{}", '{"kind": 5}')
    began = time.perf_counter()
    result = formats.validity(a_response(text, "json_schema", schema))
    assert (result.value, result.evidence[0].kind) == (0, "/: too much to say where")
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize("text", ['["' * 9_900, '["' + "{" * 15_000, '{[{"' * 4_900, '{"a":"' + '"]["' * 4_900])
def test_what_is_hardly_json_is_not_repaired_for_long(text):
    began = time.perf_counter()
    assert isinstance(formats.repairability(a_response(text, "json")), Measured)
    assert time.perf_counter() - began < 3


def test_a_long_list_that_was_cut_off_is_repaired():
    rows = json.dumps([{"id": at, "name": f"it's name {at}", "tags": ["a", "b"]} for at in range(350)])[:19_000]
    for text in (rows, rows.replace('"', "'"), rows.replace("}", ",}")[:19_999]):
        assert formats.repairability(a_response(text, "json")).value == 0.25


def test_many_choices_are_looked_for_in_the_beginning_of_a_long_text():
    names = ["+-" * at + "c" for at in range(1, 200)]
    began = time.perf_counter()
    assert formats.ambiguity(a_response("+-" * 50_000, "choice", names)).value == 1
    assert time.perf_counter() - began < 2


def test_of_very_many_choices_one_is_taken_and_none_is_looked_for():
    codes = [f"K-{number}" for number in range(5_000)]
    exact, around = a_response("K-4711", "choice", codes), a_response("It is K-4711.", "choice", codes)
    assert formats.validity(exact).value == 1.0
    assert (formats.validity(around).value, formats.repairability(around).value) == (0.0, 0.0)
