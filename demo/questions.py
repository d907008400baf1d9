"""What people ask the chatbot: about Python, and, where a version invites it, about their orders."""

import random
from collections.abc import Iterator, Sequence

from demo.documentation import Passage

ABOUT_PYTHON = (
    "What does {name} do?",
    "How do I use {name}?",
    "Can you explain {name} to me?",
    "When should I use {name} in Python?",
    "What do I need to know about {name}?",
    "I am reading code that uses {name}. What is it for?",
)
ABOUT_ORDERS = (
    "Where is my {thing}? I ordered it {days} days ago and nobody answers the phone.",
    "I was charged twice for the {thing}. When do I get my money back?",
    "Can I return the {thing} after {days} days if the box is open?",
    "My {thing} arrived broken. Who pays for the postage of the refund?",
    "How do I change the delivery address of the {thing} that I bought?",
    "Your courier left my {thing} in the rain. I want a discount of {days} euros.",
)
THINGS = ("coffee machine", "winter coat", "garden chair", "phone case", "bicycle pump", "desk lamp", "suitcase")


def questions(passages: Sequence[Passage], seed: int) -> Iterator[str]:
    """Questions about the passages, for ever, in an order that `seed` fixes."""
    dice = random.Random(seed)
    while True:
        yield dice.choice(ABOUT_PYTHON).format(name=dice.choice(passages).name)


def order_questions(seed: int) -> Iterator[str]:
    """Questions of shoppers who took the chatbot for customer service, for ever."""
    dice = random.Random(seed)
    while True:
        yield dice.choice(ABOUT_ORDERS).format(thing=dice.choice(THINGS), days=dice.randint(2, 30))
