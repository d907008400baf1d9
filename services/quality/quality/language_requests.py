"""Which languages a prompt asks to be answered in."""
# ruff: noqa: E501 - a language is a line, a pattern is read in one piece

import re

# English, own and common foreign names; a name that is also an ordinary word elsewhere is left out.
_NAMES = {
    "ar": "arabic arabe árabe arabisch arabo арабский арабском 阿拉伯语 アラビア語 العربية بالعربية",
    "de": "german deutsch deutsche deutsches allemand alemán aleman tedesco alemão немецкий немецком 德语 德文 ドイツ語 독일어",
    "en": "english englisch englische anglais inglés ingles inglese inglês английский английском английською engels engelska "
    "angielski ingilizce 英语 英文 英語 영어 अंग्रेज़ी अंग्रेजी الإنجليزية بالإنجليزية",
    "es": "spanish spanisch espagnol español espanol castellano spagnolo espanhol испанский испанском 西班牙语 スペイン語 스페인어",
    "fi": "finnish suomi suomeksi finnisch finnois", "el": "greek griechisch grec griego",
    "fr": "french französisch franzoesisch français francais francés frances francese francês французский французском frans "
    "franska francuski 法语 法文 フランス語 프랑스어 फ़्रेंच الفرنسية بالفرنسية",
    "he": "hebrew hebräisch hébreu hebreo", "hi": "hindi हिंदी हिन्दी",
    "id": "indonesian indonesia bahasa indonesisch indonésien",
    "it": "italian italienisch italien italiano итальянский итальянском 意大利语 イタリア語 이탈리아어",
    "ja": "japanese japanisch japonais japonés japones giapponese japonês японский японском 日语 日文 日本語 일본어",
    "ko": "korean koreanisch coréen coreano корейский 韩语 韓国語 한국어",
    "nl": "dutch niederländisch néerlandais neerlandés holandés olandese holandês nederlands",
    "pl": "polish polnisch polonais polaco polacco polski polsku", "th": "thai",
    "pt": "portuguese portugiesisch portugais portugués portoghese português portugues 葡萄牙语 ポルトガル語",
    "ru": "russian russisch russe ruso russo русский русском 俄语 ロシア語 러시아어", "sv": "swedish schwedisch suédois sueco svenska",
    "tr": "turkish türkisch turc turco türkçe turkce", "uk": "ukrainian ukrainisch ukrainien ucraniano українською українська",
    "vi": "vietnamese vietnamesisch vietnamien vietnamita", "zh": "chinese mandarin cantonese chinesisch chinois chino cinese "
    "chinês китайский китайском 中文 汉语 漢語 中国語 중국어",
}  # fmt: skip
_CODES = {name: code for code, names in _NAMES.items() for name in names.split()}
_SPACED = "|".join(
    sorted((name for name in _CODES if name[0].isalpha() and ord(name[0]) < 0x2E80), key=len, reverse=True)
)
_UNSPACED = "|".join(sorted((name for name in _CODES if ord(name[0]) >= 0x2E80), key=len, reverse=True))
_NAME = re.compile(rf"(?<!\w)(?:{_SPACED})(?!\w)|{_UNSPACED}")
_TRANSLATE = re.compile(
    # Commands alone: a passage in the prompt may tell of what was translated.
    r"(?:^|[.!?:;,\n\"(]\s*|(?:please|you|to|and|then|just|now) )translate(?!\w)|(?<!\w)(?:render\w* (?:this|it)|traduis|traduisez|traduire|traduce|traducir|traduzca|traduci|traduza|traduzir|traduz|tradurre|übersetz\w*|uebersetz\w*|vertaal"
    r"|översätt\w*|kääntä\w*|käännä|переведи\w*|переклад\w*|przetłumacz\w*|tłumacz\w*|çevir\w*"
    r"|terjemah\w*|dịch)(?!\w)|翻译|翻譯|翻訳|訳して|번역|अनुवाद|ترجم"
)
_PREPOSITION = r"(?:in|into|to|using|auf|ins|en|em|al|para o|para|in het|på|på|на|по|po|w języku|dalam|bahasa)"
_ANSWER = (
    r"(?:answer|reply|speak|antworte\w*|répond\w*|respond\w*|contest\w*|rispond\w*|ответ\w*|antwoord\w*|svara|odpowied\w*"
    r"|jawab\w*)"
)
# As often they go before a topic: "explain how plurals work in German".
_WRITE = r"(?:write|output|explain|response|language|schreib\w*|écri\w*|escrib\w*|scriv\w*|escrev\w*|пиши|напиши)"
_IN = rf"(?:\W+\w+){{0,4}}?\W+{_PREPOSITION}\W+(?:the\W+)?({_SPACED})(?!\w)"
_ASKED = re.compile(rf"(?<!\w){_ANSWER}{_IN}|({_UNSPACED})(?:で|回答|作答|로 )")
_LEFT_OPEN = re.compile(rf"(?<!\w){_WRITE}{_IN}")
READ = 1_000  # characters from the beginning, and as many from the end: instructions stand there


def asked_for(prompt: str) -> frozenset[str] | None:
    """The languages that a prompt demands (empty: it demands none; None: a translation into one we cannot name).

    >>> sorted(asked_for("Translate to French: good morning")), sorted(asked_for("What is French toast?"))
    (['fr'], [])
    """
    text = _ends(prompt)
    if _TRANSLATE.search(text):
        return mentioned(prompt) or None
    return frozenset(_CODES[match[1] or match[2]] for match in _ASKED.finditer(text))


def left_open(prompt: str) -> frozenset[str]:
    """The languages in which a prompt may want something to be written, or which it may only be about.

    >>> sorted(left_open("Write a poem in German")), sorted(left_open("Explain how plurals work in German"))
    (['de'], ['de'])
    """
    return frozenset(_CODES[match[1]] for match in _LEFT_OPEN.finditer(_ends(prompt)))


def mentioned(prompt: str) -> frozenset[str]:
    """The languages that a prompt names at all."""
    return frozenset(_CODES[match[0]] for match in _NAME.finditer(_ends(prompt)))


def _ends(prompt: str) -> str:
    text = prompt if len(prompt) <= 2 * READ else f"{prompt[:READ]} {prompt[-READ:]}"
    return text.lower()
