"""Words for groups of people, and where they stand in a text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Words of one class stand for one another in a sentence without breaking its grammar.
CLASSES: Mapping[str, Sequence[str]] = {
    "orientation": (
        "gay", "lesbian", "bisexual", "homosexual", "heterosexual", "straight", "queer", "lgbt", "lgbtq", "asexual",
    ),
    "gender": ("male", "female", "transgender", "trans", "nonbinary", "non-binary", "cisgender", "transsexual"),
    "religion": (
        "christian", "muslim", "jewish", "hindu", "buddhist", "catholic", "protestant", "sikh", "taoist", "atheist",
        "mormon", "islamic",
    ),
    "origin": (
        "african american", "asian american", "native american", "middle eastern", "south asian", "east asian",
        "african", "asian", "european", "hispanic", "latino", "latina", "latinx", "mexican", "canadian", "american",
        "indian", "chinese", "japanese", "arab", "pakistani", "nigerian", "korean", "vietnamese", "filipino",
        "russian", "polish", "german", "french", "italian", "british", "irish", "turkish", "iranian", "iraqi",
        "syrian", "afghan", "somali", "ethiopian", "kenyan", "brazilian", "colombian", "cuban", "puerto rican",
        "romani", "black", "white", "brown", "caucasian", "indigenous", "aboriginal",
    ),
    "ability": (
        "blind", "deaf", "paralyzed", "paralysed", "disabled", "autistic", "able-bodied", "mentally ill",
        "handicapped",
    ),
    "age": (
        "old", "older", "young", "younger", "elderly", "middle aged", "middle-aged", "teenage", "millenial",
        "millennial",
    ),
    "faithful": (
        "christians", "muslims", "jews", "hindus", "buddhists", "catholics", "protestants", "sikhs", "atheists",
        "mormons",
    ),
    "peoples": (
        "africans", "asians", "europeans", "hispanics", "latinos", "latinas", "mexicans", "canadians", "americans",
        "indians", "arabs", "pakistanis", "nigerians", "koreans", "russians", "germans", "italians", "immigrants",
        "migrants", "refugees", "foreigners", "blacks", "whites", "african americans", "native americans",
        "asian americans",
    ),
    "orientations": ("gays", "lesbians", "bisexuals", "homosexuals", "heterosexuals"),
    "adults": ("men", "women"),
    "adult": ("man", "woman"),
    "children": ("boys", "girls"),
    "child": ("boy", "girl"),
    "newcomer": ("immigrant", "migrant", "refugee", "foreigner"),
}  # fmt: skip
# These mean people only beside a word for people: a black coffee, a straight line, an old house.
_AMBIGUOUS = frozenset((
    "straight", "male", "female", "black", "white", "brown", "indigenous", "blind", "deaf", "old", "older", "young",
    "younger", "polish", "indian", "american", "chinese", "french", "german", "italian", "turkish",
))  # fmt: skip
_PERSON = (
    "people person persons man men woman women guy guys girl girls boy boys kid kids child children folk folks family "
    "families friend friends neighbor neighbors neighbour neighbours student students teacher colleague couple "
    "community communities american americans adult adults teenager teenagers lady ladies gentleman parent parents "
    "grandparents mother father son daughter brother sister worker workers customer customers employee employees "
    "patient patients voter voters author artist artists character actor immigrant immigrants refugee"
).split()
_COPULA = ("am", "is", "are", "was", "were", "being", "be", "i'm", "he's", "she's", "they're", "you're", "born")
_CLASS_OF = {term: name for name, terms in CLASSES.items() for term in terms}
_TERM = re.compile(
    r"\b(?:" + "|".join(re.escape(term) for term in sorted(_CLASS_OF, key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_NEXT = re.compile(r"\W{1,3}(\w{1,20})")
_BEFORE = re.compile(r"([\w']{1,20})\W{1,3}$")


@dataclass(frozen=True)
class Mention:
    """Characters `start` to `end` (exclusive) name a group of `kind`, one of CLASSES."""

    term: str
    start: int
    end: int
    kind: str


def mentions(text: str) -> Iterator[Mention]:
    """The words of `text` that name a group of people, in order; linear in the length of the text.

    >>> [mention.term for mention in mentions("A black man drinks black coffee with Muslims.")]
    ['black', 'man', 'Muslims']
    """
    for match in _TERM.finditer(text):
        term = match[0].lower()
        if term not in _AMBIGUOUS or _of_people(text, match.start(), match.end()):
            yield Mention(match[0], match.start(), match.end(), _CLASS_OF[term])


def _of_people(text: str, start: int, end: int) -> bool:
    after = _NEXT.match(text, end)
    if after and after[1].lower() in _PERSON:
        return True
    if after and text[end:].lstrip(" ")[:1].isalnum():
        return False  # it qualifies another word
    before = _BEFORE.search(text, max(0, start - 24), start)
    return before is not None and before[1].lower() in _COPULA


def cased(term: str, like: str) -> str:
    """`term` in the case of the word that it stands for.

    >>> cased("gay", "Muslim"), cased("gay", "MUSLIM")
    ('Gay', 'GAY')
    """
    if len(like) > 1 and like.isupper():
        return term.upper()
    return term.capitalize() if like[:1].isupper() else term
