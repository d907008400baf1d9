"""Secrets: what must be found, and what must be left alone. Values are made here, none is anybody's."""

import base64
import inspect
import json
import random
import string
import subprocess
import time
import zipfile

import pytest

from services.guard.guard.secrets import entropy, secrets

RANDOM = random.Random(5)


def drawn(count, alphabet=string.ascii_letters + string.digits):
    return "".join(RANDOM.choices(alphabet, k=count))


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


HEX = "0123456789abcdef"
TOKEN = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded({'sub': '1', 'iat': 1})}.{drawn(43)}"
KEYS = {
    "AWS_KEY": "AKIA" + drawn(16, string.ascii_uppercase),
    "GOOGLE_KEY": "AIza" + drawn(35),
    "AZURE_KEY": drawn(3) + "8Q~" + drawn(34),
    "GITHUB_TOKEN": "ghp_" + drawn(36),
    "GITLAB_TOKEN": "glpat-" + drawn(20),
    "SLACK_TOKEN": f"xoxb-{drawn(12, string.digits)}-{drawn(12, string.digits)}-{drawn(24)}",
    "STRIPE_KEY": "sk_live_" + drawn(24),
    "OPENAI_KEY": "sk-proj-" + drawn(60),
    "ANTHROPIC_KEY": "sk-ant-api03-" + drawn(95),
    "HUGGING_FACE_TOKEN": "hf_" + drawn(34),
    "NPM_TOKEN": "npm_" + drawn(36),
    "OPENROUTER_KEY": "sk-or-v1-" + drawn(64, HEX),
    "DEEPSEEK_KEY": "sk-" + drawn(32, HEX),
    "LANGFUSE_KEY": "sk-lf-" + "-".join(drawn(count, HEX) for count in (8, 4, 4, 4, 12)),
    "XAI_KEY": "xai-" + drawn(80),
    "LANGSMITH_KEY": f"lsv2_pt_{drawn(32, HEX)}_{drawn(10, HEX)}",
    "NVIDIA_KEY": "nvapi-" + drawn(64),
    "PINECONE_KEY": f"pcsk_{drawn(6)}_{drawn(63)}",
    "CEREBRAS_KEY": "csk-" + drawn(48, string.ascii_lowercase + string.digits),
    "TAVILY_KEY": "tvly-dev-" + drawn(32),
    "BEDROCK_KEY": f"ABSK{drawn(128)}=",
    "DOCKER_TOKEN": "dckr_pat_" + drawn(27),
    "POSTMAN_KEY": f"PMAK-{drawn(24, HEX)}-{drawn(34, HEX)}",
    "SENTRY_TOKEN": f"sntrys_eyJ{drawn(120)}_{drawn(43)}",
    "TAILSCALE_KEY": f"tskey-auth-{drawn(12)}-{drawn(32)}",
    "RUBYGEMS_KEY": "rubygems_" + drawn(48, HEX),
    "FIGMA_TOKEN": "figd_" + drawn(40),
    "DISCORD_WEBHOOK": f"discord.com/api/webhooks/{drawn(19, string.digits)}/{drawn(68)}",
    "AZURE_SIGNATURE": f"sig={drawn(43)}%3D",
    "JWT": TOKEN,
}


def kinds(text):
    return [each.kind for each in secrets(text)]


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_a_key_of_a_known_form_is_found_with_its_exact_place(kind):
    text = f"I pasted {KEYS[kind]}, is that bad?"
    [found] = secrets(text)
    assert (text[found.start : found.end], found.kind) == (KEYS[kind], kind)


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_a_key_is_found_where_a_script_writes_no_blanks(kind):
    text = f"密钥是{KEYS[kind]}请保密"
    assert [text[each.start : each.end] for each in secrets(text)] == [KEYS[kind]]


@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----", ""])
def test_a_private_key_is_found_whole_or_cut_off(end):
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{drawn(64)}\n{drawn(64)}\n{end}".rstrip("\n")
    [found] = secrets(f"Here:\n{text}")
    assert (found.kind, found.end - found.start) == ("PRIVATE_KEY", len(text))


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        ("postgres://bob:s3cr3tPw@db.internal/x", "s3cr3tPw", "PASSWORD"),
        ("Authorization: Bearer 8f14e45fceea167a5a36dedd4bea2543", "8f14e45fceea167a5a36dedd4bea2543", "AUTHORIZATION"),
        ('DB_PASSWORD = "tr0ub4dor&3"', "tr0ub4dor&3", "SECRET"),
        ("my password is hunter22!", "hunter22", "SECRET"),
        ('{"password": "P@ss,w0rd!9"}', "P@ss,w0rd!9", "SECRET"),
        ("PASSWORD='a(b)c;d1'", "a(b)c;d1", "SECRET"),
        ('dbPass = "tr0ub4dor"', "tr0ub4dor", "SECRET"),
        ('"client_secret": "Zx81-qPw09_aaB7vLk2M"', "Zx81-qPw09_aaB7vLk2M", "SECRET"),
        ("export API_KEY=9a8b7c6d5e4f3a2b1c0d", "9a8b7c6d5e4f3a2b1c0d", "SECRET"),
        ("the password is hunter22", "hunter22", "SECRET"),
        ("the password is $pa55word", "$pa55word", "SECRET"),
        ("its token is ab/12+cd", "ab/12+cd", "SECRET"),
        ("the api key is 9a8b7c6d-5e4f-3a2b-1c0d", "9a8b7c6d-5e4f-3a2b-1c0d", "SECRET"),
        ("the token is: abc-12345", "abc-12345", "SECRET"),
        ("the token is 'abc-12345'", "abc-12345", "SECRET"),
    ],
)
def test_what_is_called_a_secret_and_looks_like_one(text, secret, kind):
    [found] = secrets(text)
    assert (text[found.start : found.end], found.kind) == (secret, kind)


@pytest.mark.parametrize(
    "text",
    [
        "password = input()",
        "token = os.environ['TOKEN']",
        "api_key=YOUR_API_KEY",
        'secret: "<secret>"',
        "password: string",
        "key = dictionary_key",
        "The password is required.",
        "AKIAXXXXXXXXXXXXXXXX",
        "sk-your-key-here",
        "token: null",
        "https://user:password@example.com",
        "passwords are hashed",
        "Bearer token",
        "eyJub3Q.eyJhIGp3dA.c2lnbmF0dXJlIG9m",
        "commit 8f14e45fceea167a5a36dedd4bea2543",
        "secret_key = settings.SECRET_KEY",
        "the key: value pair",
        'export PGPASSWORD="$DB_PASSWORD"',
        "-H 'api-key: $AZURE_OPENAI_KEY'",
        "password = $env:DB_PASSWORD2",
        "$password = $userPassword;",
        "set PGPASSWORD=%DB_PASSWORD%",
        "password: ${DB_PASSWORD}",
        "password: {{db_password}}",
        "postgres://bob:%DB_PASSWORD%@db.internal/x",
        "if(password==confirm_password)",
        "if(password===confirm_password2)",
        'password: "${DB_PASSWORD}"',
        'token = f"{user}:{key1}"',
        'password: "{{ db_password1 }}"',
        'password = "my password, it has 12 letters"',
        "bypass: 0x1234",
        "boarding pass: LH1234",
        "each token is 512-dimensional",
        "The password is 12-character",
        "the token is base64",
    ],
)
def test_place_holders_names_and_prose_are_no_secrets(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    "path",
    [
        "src/components/button/index",
        "/usr/local/lib",
        "/var/lib/docker/overlay2/8f14e45fceea167a5a36dedd4bea2543/merged",
        "services/authService2/login_v2/index",
        "lib/python3.12/site-packages/x509/keys",
        "~/projects/api2/secrets/client1",
        "https://example.com/a1b2c3d4e5f6/b7",
        "projects/123456789012/secrets/dbPassword2/versions/3",
        "users/8f14e45fceea167a5a36dedd4bea2543/avatar",
        "data/train2/shard00017/part00042",
        "uploads/2024Q3/8f14e45fceea167a5a36dedd4bea2543",
        "Users/anna92/Documents/2024Steuer",
        "Server1/Db2/Instance12345",
        "team7/svcA12/kv9x",
    ],
)
def test_a_path_is_no_secret(path):
    assert kinds(f"secret: {path}") == []
    assert kinds(f'api_key = "{path}"') == []


def test_a_drawn_key_with_slashes_is_no_path():
    choose = random.Random(7)
    drawn_keys = ["".join(choose.choices(string.ascii_letters + string.digits + "+/", k=40)) for _ in range(5_000)]
    found = [kinds(f"aws_secret_access_key = {key}") for key in drawn_keys]
    assert found.count(["SECRET"]) >= 0.997 * len(drawn_keys)


@pytest.mark.parametrize("length", [100, 1_000, 4_096])
def test_what_comes_by_chance_within_a_long_value_makes_it_no_place_holder(length):
    choose = random.Random(7)
    values = ["".join(choose.choices(string.ascii_letters + string.digits + "+/", k=length)) for _ in range(500)]
    found = [kinds(f"client_secret={value}") for value in values]
    assert found.count(["SECRET"]) >= 0.99 * len(values)


@pytest.mark.parametrize("value", [f"your-{'long-' * 20}key-1", f"{'0a1b2c3d' * 10}-example", "x1" + "x" * 99])
def test_a_long_place_holder_is_one_by_its_ends(value):
    assert kinds(f"client_secret={value}") == []


@pytest.mark.parametrize(("length", "kept"), [(200, 200), (201, 201), (4_096, 4_096), (10_000, 4_096)])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_long_value_is_found_up_to_a_bound(length, kept, quote):
    value = "".join(random.Random(7).choices(string.ascii_letters + string.digits + "/", k=length))
    text = f"client_secret={quote}{value}{quote} and more"
    assert [text[each.start : each.end] for each in secrets(text)] == [value[:kept]]


@pytest.mark.parametrize("unit", ["token=" * 680 + "(", "token='" + "a" * 4_000 + " ", "secret=" + "a/" * 3_000])
def test_long_values_take_linear_time(unit):
    began = time.process_time()
    secrets(unit * (1_000_000 // len(unit)))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("module", [subprocess, zipfile, inspect])
def test_code_holds_none(module):
    assert kinds(inspect.getsource(module)) == []


def test_entropy_is_that_of_the_characters():
    assert entropy("abcd") == 2.0
    assert entropy("aaaa") == 0.0
