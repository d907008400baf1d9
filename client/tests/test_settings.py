"""Settings that cannot work are refused when the client is made, by name and with the remedy."""

import pytest
from tidemark.coercion import CALL
from tidemark.settings import Settings
from tidemark.transport_http import connect


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch_calls": 0}, "batch_calls is 0: give more than 0"),
        ({"batch_bytes": 0}, "batch_bytes is 0: give more than 0"),
        ({"linger_seconds": 0}, "linger_seconds is 0.0: give more than 0"),
        ({"linger_seconds": "x"}, "linger_seconds is 'x': could not convert"),
        ({"linger_seconds": float("nan")}, "linger_seconds is nan: give more than 0"),
        ({"request_seconds": float("inf")}, "request_seconds is inf: give more than 0"),
        ({"queue_calls": float("inf")}, "queue_calls is inf: cannot convert"),
        ({"queue_calls": []}, r"queue_calls is \[\]: int"),
        ({"exit_seconds": -1}, "exit_seconds is -1.0: give 0 or more"),
        ({"sample_rate": 1.5}, "sample_rate must be above 0 and at most 1"),
        ({"app": "a|b"}, "app contains .*; use another name"),
        ({"app": "a/b"}, "app contains .*; use another name"),
        ({"environment": ".."}, "environment contains .*; use another name"),
        ({"app": "x\n"}, "app contains .*; use another name"),
        ({"version": "a|b"}, "version contains .*; use another name"),
        ({"default_version": ""}, "default_version has 0 characters; give 1 to 200"),
    ],
)
def test_what_cannot_work_is_refused_by_name(given, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        Settings({}, spool="/nowhere", **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tenant": ""}, "tenant is empty"),
        ({"tenant": "a|b"}, "tenant contains .*; use another name"),
        ({"kafka_prefix": "a b"}, "kafka_prefix is 'a b': give at most 100 letters"),
        ({"kafka_prefix": "p\n"}, r"kafka_prefix is 'p\\n': give at most 100 letters"),
        ({"kafka_prefix": "p" * 101}, "kafka_prefix is 'p*': give at most 100 letters"),
    ],
)
def test_what_kafka_cannot_take_is_refused_by_name(given, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        Settings({}, spool="/nowhere", transport="kafka", **{"tenant": "acme", "kafka_prefix": "p.", **given})


@pytest.mark.parametrize(
    "url",
    [
        *("http://h:secret", "http://[::1/secret", "http://h:99999/secret", "http://h..secret", "h:8700/secret"),
        *("ftp://secret", "http://", "//secret", "https://:8700/secret"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_by_name_and_not_shown(url):
    with pytest.raises(ValueError, match=r"^url cannot be read") as refusal:
        connect(Settings({}, spool="/nowhere", url=url), "instance")
    assert str(refusal.value) == "url cannot be read: give http://host:port or https://host"


@pytest.mark.parametrize("url", ["http://[::1]:8700", "https://gateway", "http://gateway:8700/behind/a/proxy"])
def test_an_address_with_a_host_is_taken(url):
    connect(Settings({}, spool="/nowhere", url=url), "instance").close()


def test_nothing_may_be_kept_sent_or_waited_for():
    nothing = dict.fromkeys(("queue_calls", "queue_bytes", "spool_bytes", "longest_text", "exit_seconds"), 0)
    nothing |= dict.fromkeys(("poll_seconds", "longest_backoff_seconds"), 0)
    assert vars(Settings({}, spool="/nowhere", version="", **nothing)).items() >= nothing.items()


def test_the_line_end_of_a_key_is_no_part_of_it():
    assert Settings({"TIDEMARK_API_KEY": "tdm_secret\n"}, spool="/nowhere").api_key == "tdm_secret"


@pytest.mark.parametrize("key", ["tdm_sécret", "tdm_\nsecret", "tdm_ключ"])
def test_a_key_that_no_header_takes_is_refused_and_not_shown(key):
    with pytest.raises(ValueError, match="api_key has characters that no header takes") as refusal:
        Settings({}, spool="/nowhere", api_key=key)
    assert key not in str(refusal.value)


@pytest.mark.parametrize("version", ["release/2026-01", ".", ".."])
def test_a_version_that_was_registered_under_any_label_goes_on(version):
    settings = Settings({}, spool="/nowhere", version=version, default_version=version)
    assert (settings.version, settings.default_version, CALL["version"](version, "version")) == (version,) * 3
