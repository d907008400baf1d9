"""Refusals in many languages, and what only looks like one."""

import pytest

from services.quality.quality.refusal import refusal
from services.shared.scoring import Missing
from tests.support.messages import a_call

REFUSALS = """I'm sorry, but I can't help with that.
As an AI language model, I cannot provide instructions for that.
I’m sorry, I’m not going to answer this.
I must respectfully decline.
That I cannot provide.
It would not be appropriate for me to share it.
Je ne peux pas répondre à cette demande.
Es tut mir leid, aber ich kann dir dabei nicht helfen.
Lo siento, pero no puedo ayudarte con eso.
Mi dispiace, ma non posso aiutarti.
Desculpe, mas não posso ajudar com isso.
Sorry, maar ik kan je daar niet bij helpen.
Jag kan tyvärr inte hjälpa dig med det.
Przykro mi, ale nie mogę w tym pomóc.
Извините, но я не могу помочь с этим.
Вибачте, я не можу допомогти з цим.
Üzgünüm, bu konuda yardımcı olamam.
Maaf, saya tidak dapat membantu permintaan itu.
Xin lỗi, tôi không thể giúp bạn việc đó.
Valitettavasti en voi auttaa siinä.
क्षमा करें, मैं इसमें मदद नहीं कर सकता।
عذرًا، لا يمكنني مساعدتك في ذلك.
申し訳ありませんが、お手伝いできません。
죄송하지만 도와드릴 수 없습니다.
很抱歉，我不能协助你完成这个请求。""".split("\n")
ANSWERS = """I can't wait to help you! Here is the plan.
I'm sorry to hear that. Try restarting the router.
The server will refuse to answer if the port is closed.
She said, "I can't help you with that," and left.
You can't return the item after 30 days.
A model should refuse harmful requests; refusals often begin with an apology.
I don't know.
I can't recommend it highly enough!
We should not only write more, but read more.
Das Programm kann die Datei nicht öffnen.
No puedo esperar a verte.
我不能吃辣。""".split("\n")


def of(text):
    return refusal(a_call(response=text))


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_found_and_shown(text):
    assert of(text).value >= 0.5
    [span] = of(text).evidence
    assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_apology_or_talk_of_refusal_is_none(text):
    assert of(text).value < 0.5
    assert of(text).evidence == ()


def test_a_letter_that_declines_is_what_was_asked_for():
    assert of("Dear Sam,\nI'm sorry, but I cannot help you move on Saturday.\nBest").value < 0.5


def test_what_is_answered_all_the_same_counts_half():
    assert of("I can't give medical advice. " + "But here is what is known. " * 100).value < 0.5


def test_without_a_response_there_is_nothing_to_judge():
    assert of(None) == Missing("response")
