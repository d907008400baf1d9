"""Languages, readability and surprise by the models that ship."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality import text_models
from services.quality.quality.language import mismatch
from services.quality.quality.language_requests import asked_for
from services.quality.quality.languages import lettered
from services.quality.quality.readability import _heard, readability, syllables
from services.quality.quality.surprise import surprise
from services.shared.scoring import Missing
from tests.support.messages import a_call

LANGUAGES, CHARACTERS = text_models.load_languages(), text_models.load_surprise()
FRENCH = "La capitale de la France est Paris, une très belle ville au bord de la Seine."
GERMAN = "Wie spät ist es denn eigentlich, und wer hat das hier geschrieben?"
ENGLISH = "The capital of France is Paris, a very beautiful city on the banks of the Seine."
GREEK = "Γιατί ο ουρανός είναι μπλε;"

UNLEARNT = (
    "Dobrý den, chtěl bych se zeptat, jestli máte dnes otevřeno a kolik stojí vstupenka pro dvě osoby.",
    "Hlavným mestom Slovenska je Bratislava, ktorá leží na rieke Dunaj a má viac ako štyristotisíc obyvateľov.",
    "Magyarország fővárosa Budapest, amely a Duna két partján fekszik, és közel kétmillió lakosa van.",
    "Dobar dan, htio bih pitati jeste li danas otvoreni i koliko košta ulaznica za dvije osobe.",
    "Tere päevast, ma tahaksin küsida, kas te olete täna avatud ja kui palju maksab pilet kahele inimesele.",
    "Lietuvos sostinė yra Vilnius, kuris yra prie Neries upės ir turi daugiau nei pusę milijono gyventojų.",
    "Asante kwa jibu lako, kesho nitakupigia simu ili tupange muda wa mkutano wetu.",
    "Ang pusa ay isang maliit na hayop na kumakain ng karne at mahilig matulog sa mainit na lugar.",
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ENGLISH, "en"), (FRENCH, "fr"), ("Wie spät ist es denn eigentlich?", "de"), ("今何時ですか。", "ja"),
        (GREEK, "el"), ("现在几点？", "zh"), ("몇 시예요?", "ko"), ("กี่โมงแล้ว", "th"), ("समय क्या है?", "hi"),
        ("Который час?", "ru"), ("1 + 1 = 2", ""),
        (f"```python\nfor word in words:\n    print(word)\n```\nVoir https://example.org/the/page : {FRENCH}", "fr"),
    ],
)  # fmt: skip
def test_a_language_is_told_code_and_addresses_aside(text, code):
    assert LANGUAGES.guess(text).code == code


@given(st.text("ab :.@`~<>{}/\\_-\nhtpsw"))
def test_a_text_without_marks_of_noise_is_read_as_if_it_were_looked_for(text):
    assert lettered(text) == lettered(f"{text} @")  # a mark alone, which is no noise


@pytest.mark.parametrize("unit", ["@", "a@", "@.", "a@b", "<a", "{{"])
def test_marks_of_noise_in_a_row_are_read_at_once(unit):
    began = time.perf_counter()
    lettered(unit * (8_000 // len(unit)))
    assert time.perf_counter() - began < 2


def test_an_address_is_no_word():
    assert lettered("Write to a.b+c@mail.example.org, or don't.") == " write to or don t "


def test_a_few_letters_are_told_with_doubt():
    assert LANGUAGES.guess("Paris").probability < 0.9 < LANGUAGES.guess(ENGLISH).probability


@pytest.mark.parametrize(
    ("prompt", "response", "system", "flagged"),
    [
        ("What is the capital of France?", ENGLISH, None, False),
        ("What is the capital of France?", FRENCH, None, True),
        ("What is the capital of France?", "Paris", None, False),
        ("What is the capital of France?", "42", None, False),
        ("Was ist die Hauptstadt von Frankreich?", "Paris", None, False),
        ("Who wrote Don Quijote?", "Miguel de Cervantes Saavedra", None, False),
        ("What is the capital of France?", "Это город Париж.", None, True),
        ('Was bedeutet "The early bird catches the worm, and the second mouse gets the cheese"?', GERMAN, None, False),
        (f'Continue: "{FRENCH}"', FRENCH, None, False),
        ("Translate to French: Paris is a very beautiful city", FRENCH, None, False),
        ("Translate this into Klingon: Paris is beautiful", FRENCH, None, False),
        ("Please answer in German: what is the capital of France?", ENGLISH, None, True),
        ("What is the capital of France?", FRENCH, "Always answer in French.", False),
        ("What is the capital of France?", ENGLISH, "Always answer in French.", True),
        (f"Summarise this text in a sentence:\n{FRENCH}", FRENCH, None, False),
        (f"Summarise this text in a sentence:\n{FRENCH}", ENGLISH, None, False),
        (GREEK, ENGLISH, None, True),
        ("Explain how plurals work in German.", ENGLISH, None, False),
        ("Write an essay on immigrants in French society", ENGLISH, None, False),
        ("Which programming language is popular in German companies?", ENGLISH, None, False),
        ("Write a poem in German", GERMAN, None, False),
        ("Write a poem in German", ENGLISH, None, False),
        ("Write a poem in German", FRENCH, None, True),
        ("What is the capital of France?", GERMAN, "Write in German.", False),
        ("What is the capital of France?", FRENCH, "Write in German.", True),
        ("Answer in French. Explain it in German, too.", GERMAN, None, False),
        ("Reply to her in French", ENGLISH, None, True),
        ("Speak to me in French", ENGLISH, None, True),
    ],
)
def test_a_mismatch_is_one_where_another_language_was_expected(prompt, response, system, flagged):
    result = mismatch(a_call(prompt=prompt, response=response, system_prompt=system), LANGUAGES)
    assert (result.value >= 0.5) == flagged


def test_the_evidence_names_both_languages():
    [span] = mismatch(a_call(prompt="What is the capital of France?", response=FRENCH), LANGUAGES).evidence
    assert (span.start, span.end, span.kind) == (0, len(FRENCH), "en>fr")


@pytest.mark.parametrize(
    ("prompt", "codes"),
    [
        ("Traduis en anglais : bonjour", {"en"}),
        ("把这句话翻译成英文：你好", {"en"}),
        ("日本語で答えてください", {"ja"}),
        ("Responde en español, por favor.", {"es"}),
        ("Who translated the Bible into German?", set()),
        ("Is French toast German?", set()),
        ("Explain how plurals work in German.", set()),
        ("Which language is spoken in French schools?", set()),
    ],
)
def test_what_a_prompt_asks_for(prompt, codes):
    assert asked_for(prompt) == codes


def test_a_call_without_prompt_or_response_has_no_mismatch():
    assert mismatch(a_call(prompt=None), LANGUAGES) == Missing("prompt")
    assert mismatch(a_call(response=None), LANGUAGES) == Missing("response")


def test_reading_ease_is_flesch():
    found = readability(a_call(response="The cat sat on the mat. The dog ran to the red barn."), LANGUAGES)
    assert found.value == pytest.approx(206.835 - 1.015 * 13 / 2 - 84.6 * 1, abs=0.01)


def test_long_words_and_sentences_read_harder():
    easy = readability(a_call(response="The cat sat on the mat. It was warm. Then it ran off."), LANGUAGES)
    hard = readability(
        a_call(response="Notwithstanding considerable organisational heterogeneity, institutional participants "
               "demonstrated extraordinary determination regarding administrative responsibilities."), LANGUAGES
    )  # fmt: skip
    assert hard.value < 0
    assert easy.value > 90


def test_a_sentence_ends_at_a_run_of_stops_before_a_blank():
    once, often = (readability(a_call(response=f"{text} It was 3.5 feet."), LANGUAGES) for text in
                   ("The cat sat on the mat.", "The cat sat on the mat?!...\")"))  # fmt: skip
    assert once == often


def test_a_long_run_of_stops_takes_no_longer_than_other_text():
    call = a_call(response=f"{ENGLISH} {'.' * 100_000}x")
    started = time.perf_counter()
    readability(call, LANGUAGES)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("text", [FRENCH, "", "42", None])
def test_only_english_is_scored(text):
    assert isinstance(readability(a_call(response=text), LANGUAGES), Missing)


def test_syllables_of_a_megabyte_are_counted():
    assert syllables("a" * 1_000_000) > 1


def test_no_long_word_is_remembered():
    known = _heard.cache_info().currsize
    syllables("b" * 61)
    assert _heard.cache_info().currsize == known


@pytest.mark.parametrize("text", [ENGLISH, FRENCH, "今何時ですか。教えてください。", "Wie spät ist es denn?"])
def test_prose_surprises_less_than_gibberish(text):
    assert surprise(a_call(response=text), CHARACTERS).value < 7.0


@pytest.mark.parametrize(
    "text",
    ["sdkjfh wqpoeir zxmcnvb qlskdj fhgqpw", "Xq7#kP2!vZ9@mL4$wR8%tB1^", "ehT ltpaaic fo aeFrnc si Psria a yerv"],
)
def test_gibberish_is_flagged_and_shown(text):
    result = surprise(a_call(response=text), CHARACTERS)
    assert result.value >= 7.0
    assert result.evidence


@pytest.mark.parametrize("text", [GREEK, "", "a", "\ud800\ud800", "\U0001f600" * 20, None])
def test_what_was_not_learnt_is_not_scored(text):
    assert isinstance(surprise(a_call(response=text), CHARACTERS), Missing)


@pytest.mark.parametrize("text", UNLEARNT)
def test_languages_that_were_not_learnt_are_neither_gibberish_nor_a_mismatch(text):
    assert surprise(a_call(response=text), CHARACTERS) == Missing("response in a learnt language")
    assert mismatch(a_call(prompt=text, response=text), LANGUAGES) == Missing("response in a learnt language")
    assert mismatch(a_call(prompt=text, response=ENGLISH), LANGUAGES) == Missing("prompt in a learnt language")
    asked = a_call(prompt=text, response=ENGLISH, system_prompt="Always answer in English.")
    assert mismatch(asked, LANGUAGES).value < 0.1


def test_what_is_surprising_in_prose_is_shown_where_it_stands():
    text = f"{ENGLISH * 3} {'xq zv kj wq ' * 40} {ENGLISH}"
    [span] = surprise(a_call(response=text), CHARACTERS).evidence
    assert len(ENGLISH) * 3 - 5 <= span.start < span.end <= len(text) - len(ENGLISH) + 5


@pytest.mark.parametrize("unit", ["x", "\U0001f600", "\ud800", "İ", "漢字", "word "])
def test_a_megabyte_of_anything_is_judged(unit):
    call = a_call(prompt=unit * 200_000, response=unit * 200_000)
    assert 0 <= mismatch(call, LANGUAGES).value <= 1
    found = surprise(call, CHARACTERS)
    assert isinstance(found, Missing) or 0 <= found.value <= 20


def test_a_model_is_read_as_it_was_written(tmp_path):
    text_models.save_languages(LANGUAGES, tmp_path / "languages.safetensors")
    text_models.save_surprise(CHARACTERS, tmp_path / "characters.safetensors")
    assert text_models.load_languages(tmp_path / "languages.safetensors").guess(FRENCH) == LANGUAGES.guess(FRENCH)
    again = surprise(a_call(response=FRENCH), text_models.load_surprise(tmp_path / "characters.safetensors"))
    assert again == surprise(a_call(response=FRENCH), CHARACTERS)
