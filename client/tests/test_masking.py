"""What must not leave the process does not."""

from time import process_time

import pytest
from tidemark.encoding import MARGIN
from tidemark.masking import PATTERNS, builtin


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ada.lovelace+x@mail.example.org.", "Write to [email]."),
        ("card 4111 1111 1111 1111, thanks", "card [card], thanks"),
        ("card 4111-1111-1111-1111", "card [card]"),
        ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        ("pay DE89 3704 0044 0532 0130 00 today", "pay [iban] today"),
        ("pay DE89 3704 0044 0532 0130 00 TODAY", "pay [iban] TODAY"),
        ("pay DE89370400440532013001", "pay DE89370400440532013001"),
        ("call +49 30 901820 now", "call [phone] now"),
        ("call (030) 555-1234 or 212-555-0187", "call [phone] or [phone]"),
        ("in 2024 there were 1234567 of 3.14159265358979", "in 2024 there were 1234567 of 3.14159265358979"),
        ("key sk-abcDEF0123456789abcdef here", "key [token] here"),
        ("AKIAIOSFODNN7EXAMPLE", "[token]"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[token]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4", "[token]"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [token]"),
        ('{"api_key": "hunter2hunter2"}', '{"api_key": "[secret]"}'),
        ("password=correct-horse", "password=[secret]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE/abc+=\n-----END RSA PRIVATE KEY-----!", "[private_key]!"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEcutoff", "[private_key]"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIE-----BEGIN PRIVATE KEY-----\nMIIE!",
            "[private_key]-----BEGIN PRIVATE KEY-----\nMIIE!",
        ),
        ("-----BEGIN PRIVATE KEY-----\n" + "MIIE" * 9000 + "\n-----END PRIVATE KEY-----!", "[private_key]!"),
        ("x-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflK", "x-[token]"),
        (f"eyJ{'a' * 9000}.eyJ{'b' * 9000}.c", "[token]"),
        ("eyJhbGciOiJIUzI1NiJ9-sk-abcDEF0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9-[token]"),
        ("What is the bearer of bad news?", "What is the bearer of bad news?"),
        ("How do I use list.sort(key=len) in Python 3.11.7?", "How do I use list.sort(key=len) in Python 3.11.7?"),
    ],
)
def test_patterns(text, masked):
    assert builtin()(text) == masked


NASTY = [
    *("1 ", "1-", "+1", "+1(1)", "(030) ", "4111 ", "AB12", "DE89 ", "a@", "a@a.", "a@-.", ".", "\n", "@"),
    *("-----BEGIN PRIVATE KEY-----", "BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\na-", "-----BEGIN "),
    *("eyJ-", "eyJaaaaaaaa-", "eyJaaaaaaaa.", "-eyJaaaaaaaa.eyJaaaaaaaa-", "sk-", "sk-a.", "ghp_", "xoxb-", "tdm_"),
    *("bearer ", "bearer  ", "bearer a\n", "basic a", "password=", "secret=a ", "api_key:'"),
]


@pytest.mark.parametrize("unit", NASTY)
def test_a_hostile_text_is_masked_in_linear_time(unit):
    text = unit * (400_000 // len(unit)) + "\n!"
    for name in PATTERNS:
        started = process_time()
        builtin([name])("0 @ private key----- eyJ sk- basic secret " + text)
        assert process_time() - started < 3.0, name  # a tenth of a second; quadratic ones take ten seconds and more


def test_no_more_of_a_text_is_masked_than_may_be_left_of_it(make_client, gateway):
    seen = []
    client = make_client(mask=lambda text: seen.append(len(text)) or text, longest_text=1000)
    client.emit(prompt="p" * 1_000_000, context=["c" * 1_000_000])
    assert client.flush(10)
    assert seen == [1000 + MARGIN] * 2


@pytest.mark.parametrize(
    "fields",
    [
        {"attributes": {"raw": "a" * 6000}},
        {"error": {"kind": "E", "message": "m" * 6000}},
        {"messages": [{"role": "user", "content": "c" * 900}] * 60},
    ],
)
def test_no_more_is_masked_than_a_call_may_hold(make_client, gateway, fields):
    seen = []
    client = make_client(mask=lambda text: seen.append(len(text)) or text, largest_call_bytes=5000)
    client.emit(**fields)
    client.feedback(client.emit(prompt="p"), kind="comment", text="f" * 6000)
    assert client.flush(10)
    assert sum(seen) <= 5000
    assert (len(gateway.calls), gateway.feedback, client.stats().rejected) == (1, {}, 2)
    assert "raise largest_call_bytes" in client.rejected_file.read_text()


def test_a_secret_across_the_border_is_masked_and_none_is_halved(make_client, gateway):
    client = make_client(longest_text=20_000)
    card, shown = "4111 1111 1111 1111", 20_000 + MARGIN
    border = client.emit(prompt="p" * 19_990 + " " + card + " " + "q" * 100_000)
    shorter = client.emit(prompt=("ada@example.org " * 2200).ljust(shown - 10) + card + "q" * 100_000)
    assert client.flush(10)
    assert gateway.calls[border]["prompt"] == "p" * 19_987
    assert gateway.calls[shorter]["prompt"] == "[email] " * 300
    assert {gateway.calls[call]["tags"]["tidemark.truncated"] for call in (border, shorter)} == {"prompt"}


def test_own_masks_see_what_the_patterns_left(make_client, gateway):
    client = make_client(mask=lambda text: text.replace("Ada", "[name]"))
    call_id = client.emit(
        prompt="Ada, ada@example.org",
        messages=[{"role": "user", "content": "Ada"}],
        context=["Ada"],
        error={"kind": "E", "message": "Ada"},
        tags={"who": "Ada"},
        attributes={"deep": [{"er": "Ada"}]},
        user_id="Ada",
    )
    assert client.flush(10)
    call = gateway.calls[call_id]
    assert call["prompt"] == "[name], [email]"
    assert call["messages"][0]["content"] == call["context"][0]["text"] == call["error"]["message"] == "[name]"
    assert (call["tags"]["who"], call["attributes"]["deep"]) == ("[name]", [{"er": "[name]"}])
    assert call["user_id"] == "Ada"


@pytest.mark.parametrize(
    "error",
    ["401: wrong key " + "k" * 180 + " sk-abcdefghijklmnopqrstuvwx", {"kind": "sk-abcdefghijklmnopqrstuvwx"}],
)
def test_no_secret_leaves_in_an_error(client, gateway, error):
    call_id = client.emit(error=error)
    assert client.flush(10)
    assert "[token]" in str(gateway.calls[call_id]["error"])
    assert "sk-" not in str(gateway.calls[call_id])


@pytest.mark.parametrize(("mask", "kind"), [(lambda text: "", "error"), (lambda text: text * 300, "E" * 200)])
def test_a_kind_stays_one_whatever_a_mask_makes_of_it(make_client, gateway, mask, kind):
    client = make_client(mask=mask)
    call_id = client.emit(error={"kind": "E"})
    assert client.flush(10)
    assert gateway.calls[call_id]["error"] == {"kind": kind}


def test_the_tool_calls_of_a_choice_are_masked_and_cut(make_client, gateway):
    client = make_client(longest_text=20)
    tool_call = {"name": "mail", "arguments": "to ada@example.org", "result": "r" * 30}
    call_id = client.emit(choices=[{"text": "t", "tool_calls": [tool_call]}])
    assert client.flush(10)
    (choice,) = gateway.calls[call_id]["choices"]
    assert choice["tool_calls"] == [{"name": "mail", "arguments": "to [email]", "result": "r" * 20}]
    assert gateway.calls[call_id]["tags"] == {"tidemark.truncated": "choices"}


@pytest.mark.parametrize("mask", [lambda text: 1 / 0, lambda text: None])
def test_a_mask_that_fails_drops_the_text(make_client, gateway, mask):
    client = make_client(mask=mask)
    call_id = client.emit(prompt="secret", context=["secret"], duration_seconds=1.0, attributes={"a": ["secret"]})
    assert client.flush(10)
    call = gateway.calls[call_id]
    assert "prompt" not in call
    assert call["tags"] == {"tidemark.masking_failed": "attributes,context,prompt"}
    assert "secret" not in str(call)
    assert client.stats().masking_failures == 3


def test_nothing_unmasked_lies_in_the_spool_or_the_reject_file(make_client, gateway, tmp_path):
    gateway.stop()
    client = make_client()
    client.emit(prompt="ada@example.org")
    client.emit(prompt="ada@example.org", duration_seconds="ada@example.org")
    assert client.flush(10)
    client.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"[email]" in written
    assert b"ada@" not in written


def test_masking_can_be_turned_off(make_client, gateway):
    client = make_client(mask=False)
    call_id = client.emit(prompt="ada@example.org")
    assert client.flush(10)
    assert gateway.calls[call_id]["prompt"] == "ada@example.org"
