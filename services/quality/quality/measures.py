"""Every measure of the service: a new one is a line here."""

from services.quality.quality import (
    answer_match,
    bleu,
    chrf,
    formats,
    language,
    length,
    log_probability,
    readability,
    refusal,
    repetition,
    rouge,
    similarity,
    surprise,
)
from services.quality.quality.languages import Languages
from services.quality.quality.measure import Measure, one_by_one
from services.quality.quality.opinion import FEEDBACK
from services.quality.quality.similarity import REFERENCE_SIMILARITY
from services.quality.quality.surprise import Surprise
from services.shared.scoring import Metric, Missing
from services.shared.vectors import Encoder

OF_REFERENCE = (
    one_by_one(bleu.BLEU, bleu.bleu, bleu.version(), of_reference=True),
    one_by_one(chrf.CHRF, chrf.chrf, chrf.version(), of_reference=True),
    one_by_one(rouge.ROUGE_1, rouge.rouge_1, of_reference=True),
    one_by_one(rouge.ROUGE_2, rouge.rouge_2, of_reference=True),
    one_by_one(rouge.ROUGE_L, rouge.rouge_l, of_reference=True),
    one_by_one(answer_match.EXACT_MATCH, answer_match.exact_match, of_reference=True),
    one_by_one(answer_match.TOKEN_F1, answer_match.token_f1, of_reference=True),
)
OF_PROBABILITY = (
    one_by_one(log_probability.PERPLEXITY, log_probability.perplexity),
    one_by_one(log_probability.TOKEN_ENTROPY, log_probability.token_entropy),
)
# A call by itself carries none: what is said of it comes on a topic of its own.
OF_PEOPLE = (one_by_one(FEEDBACK, lambda _: Missing("feedback")),)
# Their models are read when the first of them is asked for; only the names are needed before.
OF_TEXT = (
    formats.VALIDITY, formats.REPAIRABILITY, formats.AMBIGUITY, formats.STRUCTURE, repetition.REPETITION,
    refusal.REFUSAL_RISK, length.CHARACTERS, length.WORDS, language.MISMATCH, readability.READABILITY,
    surprise.SURPRISE,
)  # fmt: skip
WITHOUT_A_MODEL = (*OF_REFERENCE, *OF_PROBABILITY, *OF_PEOPLE)
METRICS: tuple[Metric, ...] = (*(measure.metric for measure in WITHOUT_A_MODEL), *OF_TEXT, REFERENCE_SIMILARITY)


def of_text(languages: Languages, characters: Surprise) -> tuple[Measure, ...]:
    """Measures of the text alone, by models of languages and of characters."""
    judges = {
        **formats.MEASURES, **repetition.MEASURES, **refusal.MEASURES, **length.MEASURES,
        **language.measures(languages), **readability.measures(languages), **surprise.measures(characters),
    }  # fmt: skip
    decided_by = {
        **dict.fromkeys(formats.MEASURES, formats.version()),
        **dict.fromkeys((language.MISMATCH, readability.READABILITY), f"languages:{languages.version}"),
        surprise.SURPRISE: f"characters:{characters.version}",
    }
    return tuple(one_by_one(metric, judges[metric], decided_by.get(metric, "")) for metric in OF_TEXT)


def of_similarity(encoder: Encoder, version: str) -> Measure:
    """Closeness of response and reference, by an encoder of this version."""
    return Measure(
        REFERENCE_SIMILARITY,
        lambda calls: similarity.similarities(encoder, calls),
        f"encoder:{version}",
        of_reference=True,
    )
