"""What a call asked and was answered, as hashes that can be compared."""

import json
import re
import unicodedata
import zlib
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from schemas.messages import Answer, Call, ToolCall
from services.quality.quality.ngrams import hashes_of
from services.shared.scoring import Missing

RULES = "1"  # changes with what makes a question the same, or a sketch another
SIZE = 128  # hashes of a sketch: an estimate from it is off by 0.044 (a standard deviation) at most
# What a request says beside what is asked: none of it decides the answer.
_ASIDE = frozenset({
    "user", "metadata", "stream", "stream_options", "store", "service_tier", "safety_identifier", "prompt_cache_key",
    "timeout", "extra_headers", "request_id",
})  # fmt: skip
# Scripts that write no spaces: a character is a word.
_SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# A number with its separators, a word, or a sign; the punctuation of sentences and the marks of Markdown are neither.
_TOKEN = re.compile(
    rf"[{_SPACELESS}]|\d+(?:[.,:]\d+)*|[^\W\d{_SPACELESS}][^\W{_SPACELESS}]*|[^\w\s.,;:!?'\"()…“”‘’`*#|]"
)


def fingerprint(call: Call) -> Answer | Missing:
    """The question and the answer of `call`; what it lacks is missing.

    A question is all that the model was given: model, system prompt, prompt, messages, context and parameters,
    temperature and seed among them, to the letter. An answer is the text of the response and the tools that it calls.
    Linear in the length of both.
    """
    if call.question is None:
        return Missing("prompt")
    tools = call.tool_calls or (call.choices[0].tool_calls if call.choices else ())
    if call.answer is None and not tools:
        return Missing("response")
    text = _answer(call.answer or "", tools)
    return Answer(
        call_id=call.call_id,
        segment=call.segment,
        called_at=call.called_at,
        question=_hash(_question(call)),
        digest=_hash(text),
        sketch=sketch(text),
        characters=len(call.answer or ""),
        inclusion_probability=call.inclusion_probability,
        groups=call.groups,
        synthetic=call.synthetic,
    )


def _question(call: Call) -> str:
    return json.dumps([
        RULES,
        call.synthetic,  # a probe is no traffic, and traffic no probe
        call.requested_model or call.answering_model,  # a provider that changes the model behind a name is to be seen
        call.system_prompt,
        call.prompt,
        [[turn.role, turn.name, turn.content] for turn in call.messages],
        [document.text for document in call.context],
        {name: value for name, value in call.parameters.items() if name not in _ASIDE},
    ], sort_keys=True)  # fmt: skip


def _answer(text: str, tools: tuple[ToolCall, ...]) -> str:
    return "\n".join([text, *(f"{tool.name} {tool.arguments}" for tool in tools)])


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def words(text: str) -> list[str]:
    """What an answer says, without regard to case, spaces, punctuation of sentences and Markdown.

    >>> words("**Paris**, of course: 3.5 km!"), words("東京 -1")
    (['paris', 'of', 'course', '3.5', 'km'], ['東', '京', '-', '1'])
    """
    return _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())


def sketch(text: str) -> bytes:
    """The 128 smallest hashes of the words of `text` and of their pairs (bottom-k sketch: Broder, SEQUENCES 1997).

    All of them where there are no more.
    """
    codes = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words(text)], np.uint32)
    found = np.concatenate(hashes_of(codes, (1, 2)))
    return bytes(np.unique((found >> np.uint64(32)).astype("<u4"))[:SIZE].tobytes())


def in_common(one: bytes, other: bytes) -> float:
    """The Jaccard index, in [0, 1], of the sets that two sketches are of: exact where both are whole.

    >>> in_common(sketch("Paris."), sketch("paris")), in_common(sketch("yes"), sketch("no"))
    (1.0, 0.0)
    """
    left, right = _set(one), _set(other)
    union = np.union1d(left, right)
    if max(len(left), len(right)) >= SIZE:
        union = union[:SIZE]  # beyond them a sketch says nothing
    if not len(union):
        return 1.0
    return float(np.count_nonzero(np.intersect1d(left, right) <= union[-1]) / len(union))


def _set(of: bytes) -> npt.NDArray[np.uint32]:
    return np.frombuffer(of, "<u4")
