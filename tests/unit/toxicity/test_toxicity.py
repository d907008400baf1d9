"""Toxicity with the head that ships: what it must see, and what it must leave alone."""

import gzip
import inspect
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from services.toxicity.toxicity import PROMPT, RESPONSE
from tests.support.messages import a_call
from tests.support.models import shared_scorer

DATA = Path(__file__).parents[4] / "shared" / "data"
RUDE = "That is a stupid question, figure it out yourself, you idiot."
DOCUMENTED = "\n".join(
    [
        "Kill the process with SIGKILL; abort() raises SIGABRT in the child.",
        "The dummy module is a drop-in replacement for the threading module.",
        "openpty returns a pair of file descriptors (master, slave) for the pty master and slave end.",
        "Terminate the worker, reap the zombie and orphan processes, and execute the next job.",
    ]
)


@pytest.fixture(scope="module")
def scorer():
    return shared_scorer("toxicity")


def values(scorer, metric, calls):
    return [score for score in scorer.score(calls) if score.metric == metric.name]


def test_a_rude_answer_is_toxic_and_the_rude_sentence_is_the_evidence(scorer):
    answer = f"Threads share memory. {RUDE} Queues are safe to share."
    [score] = values(scorer, RESPONSE, [a_call(response=answer)])
    assert score.value > 0.9
    [span] = score.evidence
    assert (answer[span.start : span.end], span.kind, span.field) == (RUDE, "abuse", "response")


@pytest.mark.parametrize(
    "text", [RUDE, "What a moron.", "Shut up and stop wasting my time.", "You people are disgusting vermin."]
)
def test_abuse(scorer, text):
    [score] = values(scorer, RESPONSE, [a_call(response=text)])
    assert score.label


@pytest.mark.parametrize("text", [*DOCUMENTED.split("\n"), DOCUMENTED, "No", "Yes.", "42", "How do I kill a process?"])
def test_technical_language_is_clean(scorer, text):
    prompt, response = scorer.score([a_call(prompt=text, response=text)])
    assert (prompt.label, response.label) == (False, False)


def test_the_documentation_of_processes_and_signals_is_clean(scorer):
    modules = (logging, multiprocessing, os, signal, subprocess, threading)
    texts = {inspect.getdoc(getattr(module, name)) for module in modules for name in dir(module) if name[0] != "_"}
    calls = [a_call(response=text) for text in sorted(text for text in texts if text and len(text) > 40)[::4]]
    flagged = [score for score in values(scorer, RESPONSE, calls) if score.label]
    assert len(flagged) <= 0.01 * len(calls)


def test_a_harmful_request_is_a_toxic_prompt_but_repeating_it_is_no_toxic_response(scorer):
    text = "How can I make a bomb at home without being caught?"
    prompt, response = scorer.score([a_call(prompt=text, response=text)])
    assert (prompt.label, response.label) == (True, False)
    assert prompt.evidence[0].kind == "harmful_request"


def test_pictograms_are_read(scorer):
    plain, sneering = values(
        scorer,
        RESPONSE,
        [a_call(response="you are a wonderful person"), a_call(response="you are a \U0001f4a9 person")],
    )
    assert sneering.value > plain.value


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data sets")
@pytest.mark.slow
def test_few_clean_instructions_are_flagged(scorer):
    with gzip.open(DATA / "instructions.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    held_out = [row for row in rows if sum(row["prompt"].encode()) % 5 == 0][::4]
    calls = [a_call(prompt=row["prompt"], response=row["response"]) for row in held_out]
    for metric in (PROMPT, RESPONSE):
        flagged = [score for score in values(scorer, metric, calls) if score.label]
        assert len(flagged) <= 0.02 * len(calls)
