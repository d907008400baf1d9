"""Every measure of the service: a new one is a line here."""

from services.quality.quality import answer_match, bleu, chrf, log_probability, rouge, similarity
from services.quality.quality.measure import Measure, one_by_one
from services.quality.quality.opinion import FEEDBACK
from services.quality.quality.similarity import REFERENCE_SIMILARITY, Encoder
from services.shared.scoring import Metric, Missing

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
WITHOUT_A_MODEL = (*OF_REFERENCE, *OF_PROBABILITY, *OF_PEOPLE)
METRICS: tuple[Metric, ...] = (*(measure.metric for measure in WITHOUT_A_MODEL), REFERENCE_SIMILARITY)


def of_similarity(encoder: Encoder, version: str) -> Measure:
    """Closeness of response and reference, by an encoder of this version."""
    return Measure(
        REFERENCE_SIMILARITY,
        lambda calls: similarity.similarities(encoder, calls),
        f"encoder:{version}",
        of_reference=True,
    )
