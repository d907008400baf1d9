"""What a response claims to be, and what of it is held to that."""

import pytest

from services.quality.quality import formats
from services.shared.scoring import Measured, Missing
from tests.support.messages import a_call


def a_response(text):
    return a_call(response=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Just prose, with [brackets] and <angles>.", Missing("expected_format")),
        ('{"a": 1}', 1.0),
        ('{"a": "between ``` marks"}', 1.0),
        ("{'a': 1}", 0.0),
        ('Here:\n```json\n{"a": 1}\n```\n', 1.0),
        ("```python\nx = (\n```\nor\n```json\n{}\n```", 0.5),
        ("```\nplain\n```", Missing("expected_format")),
        ("<think>It is 2 + 2.</think>\n\nThe answer is 4.", Missing("expected_format")),
        ("[1] Smith et al. say so, as does [2]", Missing("expected_format")),
        ("[1, 2] both say so.", Missing("expected_format")),
        ("[2024-05-01 12:00] started", Missing("expected_format")),
        ("```\n[2024-05-01 12:00] started [main]\n```", Missing("expected_format")),
        ("@anna thanks, done", Missing("expected_format")),
        ("@anna\nthanks, done", Missing("expected_format")),
        ("@app.get('/')\n@cached\nasync def root():\n    return 1", 1.0),
        ("@cached\ndef root(:", 0.0),
        ('{"a": 1, "b":', 0.0),
        ('{"a": 1} I hope that helps.', 0.0),
        ('[{"a": 1}, {"a"', 0.0),
        ('["a", "b', 0.0),
        ("[[1, 2], [3", 0.0),
        ("[1, 2, 3", 0.0),
        ("{a: 1}", 0.0),
        ("<a><b></a>", 0.0),
        ('<?xml version="1.0"?><a>1', 0.0),
        ("1. Do this:\n\n   ```python\n   x = 1\n   if x:\n       y = 2\n   ```\n", 1.0),
        ('- So:\n  ```xml\n  <?xml version="1.0"?>\n  <a/>\n  ```\n', 1.0),
        ('```jsonc\n{"a": 1} // one\n```', Missing("expected_format")),
        ("```json5\n{a: 1}\n```", Missing("expected_format")),
        ("<think>2 < 3</think>\n<answer>42</answer>", Missing("expected_format")),
        ("<h1>Title</h1><p>Text</p>", Missing("expected_format")),
        ("<p>Hello<br>you&nbsp;there</p>", Missing("expected_format")),
        ("<item>1</item><item>2</item>", Missing("expected_format")),
        ("<a><a>1</a><a/></a>", 1.0),
        ('<svg xmlns="http://www.w3.org/2000/svg"><g>', 0.0),
        ('{"a": 1}\n{"a": 2}\n', Missing("expected_format")),
        ('[{"a": 1},\n{"a": 2}]', 1.0),
        (None, Missing("response")),
    ],
)
def test_without_an_expected_format_the_response_is_held_to_what_it_claims(text, expected):
    result = formats.validity(a_response(text))
    assert (result.value if isinstance(result, Measured) else result) == expected


def test_the_evidence_in_an_indented_fence_stands_where_it_stands():
    text = "1. So:\n\n   ```python\n   x = 1\n   y = )\n   ```\n"
    [span] = formats.validity(a_response(text)).evidence
    assert (span.start, span.end) == (text.index(")"), text.index(")") + 1)
