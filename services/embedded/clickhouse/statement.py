r"""What one SQL text asks for, as far as the HTTP interface has to know, without running it.

>>> Statement.of(b"INSERT INTO t FORMAT CSV\n1,2\n").data
b'1,2\n'
>>> Statement.of(b"SELECT 'FORMAT x' FORMAT JSON").format
'JSON'
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<skip> \s+ | --[^\n]* | \#[ !][^\n]* | /\*(?:(?!/\*|\*/).)*\*/ )
  | (?P<open> /\* )
  | (?P<text> '(?:[^'\\]|\\.|'')*' )
  | (?P<quoted> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<number> [0-9][A-Za-z0-9_.]* )
  | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_GAP = re.compile(rb"[ \t\r]*\n?")
_READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "("})
# They reach the host's files, the network or this process, and the engine's own read-only mode lets some of them pass.
_OUTSIDE = frozenset(
    "file filecluster filesystem python executable eval arrowstream cluster clusterallreplicas remote remotesecure url "
    "urlcluster s3 s3cluster gcs oss cosn hdfs hdfscluster azureblobstorage azureblobstoragecluster mysql postgresql "
    "sqlite mongodb redis jdbc odbc bigquery ytsaurus prometheusquery prometheusqueryrange hascolumnintable "
    "catboostevaluate source filelog kafka nats rabbitmq s3queue azurequeue embeddedrocksdb executablepool distributed "
    "materializedpostgresql queryrunner datalakecatalog".split()
)
# They name a file that a format reads, and the engine shows what it finds in it.
_FILE_SETTINGS = ("format_schema", "format_template")
_OUTSIDE_FAMILIES = ("deltalake", "iceberg", "hudi", "paimon", "ai")


class _Token(NamedTuple):
    text: str
    kind: str
    end: int
    depth: int

    @property
    def name(self) -> str:
        """Upper case for a bare word, nothing for what is quoted."""
        return self.text.upper() if self.kind in {"word", "sign"} else ""

    @property
    def bare(self) -> str:
        """A word or a quoted name, in lower case and without its quotes."""
        return self.text.strip('`"').lower() if self.kind in {"word", "quoted"} else ""


class Refused(Exception):
    """A statement that this server does not run, with ClickHouse's own code for it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {reason}")
        self.code = code


@dataclass(frozen=True)
class Statement:
    """One statement: `sql` is what the engine is given; an INSERT with inline rows has these in `data`, in `format`."""

    sql: str
    format: str | None
    data: bytes | None
    reads: bool

    @classmethod
    def of(cls, text: bytes) -> "Statement":
        """Take `text` apart; raises `Refused` for several statements and for what reaches beyond the database."""
        tokens: list[_Token] = []
        for token in _tokens(text.decode("latin-1")):
            tokens.append(token)
            if tokens[0].name == "INSERT" and (found := _inline(tokens, text)):
                _verify(tokens)
                if tokens[-1].bare == "values":  # this format's rows are expressions
                    _verify(_tokens((found.data or b"").decode("latin-1")))
                return found
        _verify(tokens)
        names = [token.name for token in tokens]
        reads = bool(names) and names[0] in _READS
        return cls(text.decode("utf-8", "replace"), _output_format(tokens) if reads else None, None, reads)

    def from_file(self, path: str) -> str:
        """An INSERT with inline rows, as one that takes them from a file of this machine.

        >>> Statement.of(b"INSERT INTO t SETTINGS a = 1 FORMAT CSV 1").from_file("/f")
        "INSERT INTO t FROM INFILE '/f' COMPRESSION 'none' SETTINGS a = 1 FORMAT CSV"
        """
        text = self.sql.encode()
        at = _before_settings(list(_tokens(text.decode("latin-1"))), len(text))
        rows = f" FROM INFILE '{path}' COMPRESSION 'none' ".encode()
        return f"{(text[:at].rstrip() + rows + text[at:]).decode().rstrip()} FORMAT {self.format}"


def _tokens(text: str) -> Iterator[_Token]:
    """Latin-1 in, so that an index is a byte; comments and spaces are left out."""
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "skip":
            continue
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        yield _Token(match.group(), kind, match.end(), depth)


def _inline(tokens: list[_Token], text: bytes) -> Statement | None:
    """An INSERT whose rows follow in the text, once its last token names their format."""
    last = tokens[-1]
    named = len(tokens) > 1 and tokens[-2].name == "FORMAT"
    if last.depth or not (named or last.name == "VALUES"):
        return None
    if any(token.name in {"SELECT", "WITH"} and not token.depth for token in tokens):
        return None
    if not named:
        head = text[: last.end - len("VALUES")]
        return Statement(head.decode("utf-8", "replace"), "Values", text[last.end :].rstrip(b" \t\r\n;"), False)
    head = text[: tokens[-2].end - len("FORMAT")]
    gap = _GAP.match(text, last.end)
    return Statement(head.decode("utf-8", "replace"), last.text, text[gap.end() if gap else last.end :], False)


def _before_settings(tokens: list[_Token], end: int) -> int:
    for token, after, sign in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.name == "SETTINGS" and not token.depth and after.kind == "word" and sign.text == "=":
            return token.end - len("SETTINGS")
    return end


def _output_format(tokens: list[_Token]) -> str | None:
    pairs = pairwise(tokens)
    named = [
        after.text for token, after in pairs if token.name == "FORMAT" and not token.depth and after.kind == "word"
    ]
    return named[-1] if named else None


def verify_setting(name: str) -> None:
    """Raises `Refused` for a setting that names a file of this machine."""
    if name.lower().startswith(_FILE_SETTINGS):
        raise Refused(497, f"The setting {name} reads a file of this machine: not here. (ACCESS_DENIED)")


def _verify(tokens: Iterable[_Token]) -> None:
    before = _Token("", "", 0, 0)
    for token in tokens:
        _verify_alone(token)
        _verify_pair(before, token)
        before = token


def _verify_pair(token: _Token, after: _Token) -> None:
    if token.text == ";" and after.text != ";":
        raise Refused(62, "Syntax error: several statements in one request are not allowed. (SYNTAX_ERROR)")
    if (token.name, after.name) in {("INTO", "OUTFILE"), ("FROM", "INFILE")}:
        raise Refused(497, "Files of this machine cannot be read or written from here. (ACCESS_DENIED)")
    name = token.bare
    if after.text == "(" and (name in _OUTSIDE or name.startswith(_OUTSIDE_FAMILIES)):
        raise Refused(497, f"The function {name} reaches beyond the database: not here. (ACCESS_DENIED)")


def _verify_alone(token: _Token) -> None:
    # What the engine may read otherwise than it is read here could hide what stands in it or after it.
    if token.kind == "quoted" and "\\" in token.text:
        raise Refused(62, "Syntax error: a quoted name may hold no backslash here. (SYNTAX_ERROR)")
    if token.kind == "sign" and (token.text == "$" or not token.text.isascii()):
        raise Refused(62, "Syntax error: outside of quotes there may be ASCII only, and no $. (SYNTAX_ERROR)")
    if token.kind == "open":
        raise Refused(62, "Syntax error: a comment has to end, and may hold no other here. (SYNTAX_ERROR)")
    verify_setting(token.bare)
