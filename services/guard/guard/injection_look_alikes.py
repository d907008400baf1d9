"""Letters that look like Latin ones."""

import re
import unicodedata
from functools import lru_cache

# Look-alikes of Cyrillic, Greek, Armenian, Cherokee and of Latin's own relatives, by the letter that they pass for.
_PASS_FOR = {
    "a": "аαɑ", "b": "ЬвƄ", "c": "сϲᴄⅽ", "d": "ԁⅾ", "e": "еєҽεэ", "f": "ϝẝ", "g": "ɡցɢ", "h": "һհн", "i": "іιɩıΙӏ",
    "j": "јϳ", "k": "кκќ", "l": "ⅼ", "m": "мⅿ", "n": "ոпηи", "o": "оοσօ", "p": "рρ", "q": "ԛգ", "r": "гѓᴦ",
    "s": "ѕꜱ", "t": "тτ", "u": "սυυцμ", "v": "ѵνⅴ", "w": "ԝѡωш", "x": "хχⅹж", "y": "уүγ", "z": "ᴢ",
    "A": "АΑᎪ", "B": "ВΒᏴ", "C": "СϹᏟ", "D": "Ꭰ", "E": "ЕΕᎬ", "F": "Ϝ", "G": "Ԍ", "H": "НΗᎻ", "I": "ІΙӀ", "J": "ЈᎫ",
    "K": "КΚᏦ", "L": "Ꮮ", "M": "МΜᎷ", "N": "Ν", "O": "ОΟՕ", "P": "РΡᏢ", "S": "ЅᏚՏ", "T": "ТΤᎢ", "U": "Ս", "V": "ѴᏙ",
    "W": "ԜᎳ", "X": "ХΧ", "Y": "ҮΥ", "Z": "ΖᏃ",
}  # fmt: skip
LATIN = {look_alike: letter for letter, many in _PASS_FOR.items() for look_alike in many}
_NAMED = re.compile(
    r"(?:MODIFIER LETTER |REGIONAL INDICATOR SYMBOL |NEGATIVE |SQUARED |CIRCLED |CROSSED )*"
    r"(?:LATIN )?(?:(SMALL|CAPITAL) )?LETTER (?:SMALL )?(?:CAPITAL )?(?:SCRIPT |TURNED |DOTLESS )?([A-Z])(?: WITH .+)?"
)


@lru_cache(8192)
def letter_of(character: str) -> str:
    """The Latin letter that `character` looks like or is a variant of; else `character`.

    >>> "".join(letter_of(character) for character in "іgnоrе ᴛʜɪꜱ ïñ 漢")
    'ignore this in 漢'
    """
    if character.isascii():
        return character
    if character in LATIN:
        return LATIN[character]
    plain = unicodedata.normalize("NFKD", character)[:1]
    if plain.isascii() and plain.isalpha():
        return plain
    match = _NAMED.fullmatch(unicodedata.name(character, ""))
    if match is None:
        return character
    return match[2] if match[1] == "CAPITAL" else match[2].lower()
