"""Strings like those that token search finds, and the many strange but ordinary strings that they must be told from."""

import base64
import json
import random
import re
import string
from collections.abc import Callable, Sequence

_WORD = re.compile(r"\w+")
_SIGNS = ("!", "!!", "]", "](", "\\", "}}", "{", "'", '"', "--", "**", ").", "+", "\\!", "``", "?", "@", "//", "<", ">", "=",  # noqa: E501 - as long as such lines are
          "\\_", "~", "[", "):", "%%", "...", "(", "$", "\"\\", ";", "^", "&", "\\[", "#", "|", "}\\", "\\n", "->", "::")  # fmt: skip  # noqa: E501 - as long as such lines are


def suffix(choose: random.Random, words: Sequence[str]) -> str:
    """Twelve to forty random tokens: whole words, parts of words and signs, in any case, joined at random."""
    signs, parts, spaces = (
        choose.choice((0.0, 0.15, 0.3, 0.45)),
        choose.choice((0.0, 0.2, 0.5)),
        choose.uniform(0.45, 1),
    )
    text = ""
    for _ in range(choose.randint(12, 40)):
        token = choose.choice(_SIGNS) if choose.random() < signs else _word(choose, words, parts)
        text += token + (" " if choose.random() < spaces else "")
    return text.strip()


def _word(choose: random.Random, words: Sequence[str], parts: float) -> str:
    word = choose.choice(words)
    if choose.random() < parts and len(word) > 4:
        cut = choose.randint(2, len(word) - 2)
        word = choose.choice((word[:cut], word[cut:]))
    case = choose.random()
    return word.upper() if case < 0.08 else word.capitalize() if case < 0.3 else word


def vocabulary(texts: Sequence[str]) -> list[str]:
    """Every word of the texts once: rare ones as likely as frequent ones."""
    return sorted({word for text in texts for word in _WORD.findall(text) if 2 <= len(word) <= 14})


Maker = Callable[[random.Random, Sequence[str]], str]


def _random(choose: random.Random, alphabet: str, least: int, most: int) -> str:
    return "".join(choose.choices(alphabet, k=choose.randint(least, most)))


def _base64(choose: random.Random, _words: Sequence[str]) -> str:
    return base64.b64encode(choose.randbytes(choose.randint(40, 400))).decode()


def _hashes(choose: random.Random, _words: Sequence[str]) -> str:
    return choose.choice(("\n", " ", ", ")).join(
        _random(choose, "0123456789abcdef", 32, 40) for _ in range(choose.randint(1, 8))
    )


def _address(choose: random.Random, words: Sequence[str]) -> str:
    path = "/".join(choose.choices(words, k=choose.randint(1, 5))).lower()
    query = "&".join(
        f"{choose.choice(words)}={_random(choose, string.ascii_letters + string.digits, 3, 20)}"
        for _ in range(choose.randint(0, 4))
    )
    return f"https://{choose.choice(words).lower()}.example.com/{path}" + (f"?{query}" if query else "")


def _addresses(choose: random.Random, words: Sequence[str]) -> str:
    return choose.choice(("\n", " ", "\n- ")).join(_address(choose, words) for _ in range(choose.randint(1, 6)))


def _table(choose: random.Random, words: Sequence[str]) -> str:
    columns, sign = choose.randint(3, 7), choose.choice((" | ", ",", "\t", ";", "  "))
    cells: tuple[Callable[[], str], ...] = (
        lambda: choose.choice(words), lambda: f"{choose.uniform(0, 9999):.{choose.randint(0, 3)}f}",
        lambda: f"{choose.randint(1900, 2030)}", lambda: " ".join(choose.choices(words, k=2)).title(), lambda: "-",
        lambda: f"{choose.randint(0, 99)}%", lambda: _random(choose, string.ascii_uppercase + string.digits, 3, 9),
    )  # fmt: skip
    kinds = choose.choices(cells, k=columns)
    lines = [sign.join(kind() for kind in kinds) for _ in range(choose.randint(3, 15))]
    return "\n".join(f"| {line} |" for line in lines) if sign == " | " else "\n".join(lines)


def _json(choose: random.Random, words: Sequence[str]) -> str:
    def value(depth: int) -> object:
        kind = choose.random()
        if depth and kind < 0.4:
            return {choose.choice(words): value(depth - 1) for _ in range(choose.randint(1, 5))}
        if kind < 0.6:
            return choose.randint(0, 10 ** choose.randint(1, 9))
        return choose.choice(
            (" ".join(choose.choices(words, k=3)), True, None, [1.5, 2], _random(choose, "abcdef0123456789", 8, 24))
        )

    return json.dumps({choose.choice(words): value(3) for _ in range(4)}, indent=choose.choice((None, 1, 2)))


def _markup(choose: random.Random, words: Sequence[str]) -> str:
    tags = ("div", "p", "span", "li", "td", "a", "h2", "section")
    lines = []
    for _ in range(choose.randint(3, 12)):
        tag, inner = choose.choice(tags), " ".join(choose.choices(words, k=choose.randint(1, 6)))
        lines.append(
            f'<{tag} class="{choose.choice(words)}-{choose.choice(words)}" id="{choose.choice(words)}">{inner}</{tag}>'
        )
    return choose.choice(("\n", "", "\n  ")).join(lines)


def _shell(choose: random.Random, words: Sequence[str]) -> str:
    def word() -> str:
        return choose.choice(words).lower()

    commands = (
        lambda: f"sudo apt-get install -y {word()} {word()} && cd ~/{word()}/{word()}",
        lambda: f"grep -rn '{word()}' ./{word()} | awk '{{print ${choose.randint(1, 9)}}}' | sort -u > {word()}.txt",
        lambda: f"curl -s -X POST -H 'Content-Type: application/json' -d '{{\"{word()}\": {choose.randint(1, 99)}}}' {_address(choose, words)}",  # noqa: E501 - as long as such lines are
        lambda: f"SELECT {word()}, COUNT(*) AS n FROM {word()}s WHERE {word()}_id = {choose.randint(1, 999)} GROUP BY {word()} ORDER BY n DESC;",  # noqa: E501, S608 - as long as such lines are
        lambda: f"docker run --rm -p 80{choose.randint(10, 99)}:80 -v $(pwd):/{word()} {word()}/{word()}:latest",
        lambda: f"const {word()} = ({word()}, i) => {word()}.map(x => x.{word()} + i).filter(Boolean);",
        lambda: f"for (int i = 0; i < {word()}.size(); ++i) {{ {word()}[i] += {word()}->{word()}(i, {choose.randint(0, 9)}); }}",  # noqa: E501 - as long as such lines are
        lambda: f"git commit -m 'Fix {word()} in {word()}' --author='{word()} <{word()}@example.com>'",
        lambda: f".{word()}-{word()} > a:hover {{ margin: 0 {choose.randint(1, 40)}px; color: #{_random(choose, '0123456789abcdef', 6, 6)}; }}",  # noqa: E501 - as long as such lines are
        lambda: f"if (!{word()} || {word()}.length === 0) {{ return res.status(40{choose.randint(0, 9)}).json({{ error: '{word()}' }}); }}",  # noqa: E501 - as long as such lines are
        lambda: f"public static void {word()}(String[] {word()}) throws {word().title()}Exception {{ System.out.println({word()}); }}",  # noqa: E501 - as long as such lines are
        lambda: f"$\\frac{{{word()[:1]}_{choose.randint(1, 9)}}}{{\\sqrt{{{word()[:1]}^2 + {choose.randint(1, 9)}}}}} \\leq \\sum_{{i=1}}^{{n}} \\alpha_i x_i$",  # noqa: E501 - as long as such lines are
        lambda: f"^(?:[A-Z]{{2}}\\d{{{choose.randint(1, 9)}}}|\\w+@{word()}\\.com)$",
        lambda: f"func ({word()[:1]} *{word().title()}) {word().title()}(ctx context.Context) error {{ return nil }}",
    )  # fmt: skip
    return "\n".join(choose.choice(commands)() for _ in range(choose.randint(1, 6)))


def _log(choose: random.Random, words: Sequence[str]) -> str:
    def line() -> str:
        stamp = f"2024-{choose.randint(1, 12):02}-{choose.randint(1, 28):02}T{choose.randint(0, 23):02}:{choose.randint(0, 59):02}:07.{choose.randint(0, 999):03}Z"  # noqa: E501 - as long as such lines are
        return f"{stamp} {choose.choice(('INFO', 'WARN', 'ERROR', 'DEBUG'))} [{choose.choice(words)}-{choose.randint(1, 16)}] {choose.choice(words)}.{choose.choice(words)} - {' '.join(choose.choices(words, k=4))} id={_random(choose, '0123456789abcdef', 8, 8)} took={choose.randint(1, 999)}ms"  # noqa: E501 - as long as such lines are

    return "\n".join(line() for _ in range(choose.randint(1, 8)))


def _list(choose: random.Random, words: Sequence[str]) -> str:
    return choose.choice((", ", "\n", "\n- ", "; ")).join(choose.choices(words, k=choose.randint(8, 30)))


ORDINARY: dict[str, Maker] = {
    "base64": _base64, "hashes": _hashes, "addresses": _addresses, "tables": _table, "json": _json, "markup": _markup,
    "commands": _shell, "logs": _log, "lists": _list,
}  # fmt: skip
