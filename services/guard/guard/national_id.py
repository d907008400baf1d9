"""Numbers that a state gives to a person, by form and check digits."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from services.guard.guard.cues import cued, words
from services.guard.guard.found import Found

_SSN = re.compile(r"(?<![\w-])(?<!\d\.)\d{3}([-. ]?)\d{2}\1\d{4}(?![\w-]|\.\d)", re.ASCII)
_DIGITS = re.compile(r"\d(?:\D{0,3}\d){4}")
_SSN_CUE = words("ssn", "ssns", "social security", "social security number", "soc sec", "social", "ss#", "itin")


class Form(NamedTuple):
    """A number as it is written, the module of python-stdnum that checks it, and the words of which it needs one."""

    written: re.Pattern[str]
    module: str
    cues: tuple[str, ...]
    cue: re.Pattern[str]


class _Checker(Protocol):
    def is_valid(self, number: str) -> bool: ...


def _form(pattern: str, module: str, *cues: str) -> Form:
    edges = rf"(?<![\w-])(?<!\d[.,])(?:{pattern})(?![\w-]|[.,]\d)"
    return Form(re.compile(edges, re.IGNORECASE | re.ASCII), module, cues, words(*cues))


_ID = ("id", "id number", "national id", "identity", "identification", "tax", "tax id", "tin")
_FORMS = (
    _form(r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    _form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", "mx.curp"),
    _form(r"\d{6}[+\-A-FU-Y]\d{3}[0-9A-Y]", "fi.hetu"),
    _form(r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    _form(r"756\.\d{4}\.\d{4}\.\d{2}", "ch.ssn"),
    _form(r"[1-9]\d{5}(?:19|20)\d{9}[\dX]", "cn.ric"),
    _form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    _form(r"\d{6}-[1-8]\d{6}", "kr.rrn"),
    _form(r"[XYZ]-?\d{7}-?[A-Z]", "es.nie"),
    _form(r"[1278] ?\d\d ?[01]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", "fr.nir"),
    _form(r"\d{4} \d{4} \d{4}|\d{12}", "in_.aadhaar", "aadhaar", "aadhar", "uid", "uidai", "आधार"),
    _form(r"[A-Z]{5}\d{4}[A-Z]", "in_.pan", "pan", "permanent account number", "pan card", "tax"),
    _form(r"\d{8}-?[A-Z]", "es.dni", "dni", "nif", *_ID),
    _form(r"\d{7}[A-W][A-IW]?", "ie.pps", "pps", "ppsn", "pps number"),
    _form(r"\d{3}[ -]\d{3}[ -]\d{3}|\d{9}", "ca.sin", "sin", "social insurance", "social insurance number"),
    _form(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", "nhs", "nhs number", "nhs no"),
    _form(r"\d{3} ?\d{3} ?\d{3}", "au.tfn", "tfn", "tax file number"),
    _form(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", "steuer-id", "steueridentifikationsnummer", "idnr", "steuer", *_ID),
    _form(r"\d{9}", "nl.bsn", "bsn", "burgerservicenummer", "sofinummer"),
    _form(r"\d{9}", "pt.nif", "nif", "contribuinte"),
    _form(r"\d{11}", "pl.pesel", "pesel"),
    _form(r"\d{11}", "tr.tckimlik", "tc kimlik", "kimlik", "tckn", "t.c."),
    _form(r"\d{6} ?\d{5}", "no.fodselsnummer", "fødselsnummer", "fodselsnummer", "personnummer", *_ID),
    _form(r"(?:\d\d)?\d{6}[-+]?\d{4}", "se.personnummer", "personnummer", "pnr", "personal number", *_ID),
    _form(r"\d{6}-?\d{4}", "dk.cpr", "cpr", "cpr-nummer", "cpr number"),
    _form(r"\d{6}/\d{3,4}", "cz.rc", "rodné číslo", "rodne cislo", *_ID),
    _form(r"\d{13}", "za.idnr", "sa id", *_ID),
    _form(r"\d{13}", "ro.cnp", "cnp"),
    _form(r"\d{1,2}\.?\d{3}\.?\d{3}-[\dK]", "cl.rut", "rut", "run"),
)


def social_security(text: str) -> Iterator[Found]:
    """Social security numbers of the United States, as they may be given out; without dashes beside a cue alone."""
    for match in _SSN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if match[1] != "-" and not cued(_SSN_CUE, text, match.start(), match.end()):
            continue
        if _valid("us.ssn", digits):
            yield Found(match.start(), match.end(), "SSN", 0.95)
        elif _valid("us.itin", digits):
            yield Found(match.start(), match.end(), "NATIONAL_ID", 0.9)


def national_ids(text: str) -> Iterator[Found]:
    """Numbers of other states; a form that other numbers share counts beside a word that names it alone."""
    if not _DIGITS.search(text):
        return
    lower = text.lower()
    for form in _FORMS:
        # The first part of a cue is looked for before the pattern: nearly no text holds one.
        if form.cues and not any(re.split(r"[ -]", cue)[0] in lower for cue in form.cues):
            continue
        for match in form.written.finditer(text):
            known = not form.cues or cued(form.cue, text, match.start(), match.end())
            if known and _valid(form.module, match[0]):
                yield Found(match.start(), match.end(), "NATIONAL_ID", 0.95)


@cache
def _checker(module: str) -> _Checker:
    return cast(_Checker, import_module(f"stdnum.{module}"))


def _valid(module: str, number: str) -> bool:
    return _checker(module).is_valid(number)
