"""Runs in the peers' own environment: texts and kinds of personal data in, Presidio's spans of them out.

Kinds go by name (`entities`: Presidio's to ours). TIDEMARK_PRESIDIO_MODEL names a spaCy model, for names and places;
without one (none is on the package index) only patterns and check digits are looked for.
"""

import json
import os
import sys
import tempfile
from importlib.metadata import version

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider


def main() -> None:
    """Look through every text."""
    asked = json.load(sys.stdin)
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    named = os.environ.get("TIDEMARK_PRESIDIO_MODEL", "")
    with tempfile.TemporaryDirectory() as folder:
        if not named:
            spacy.blank("en").to_disk(folder)
        models = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": named or folder}]}
        engine = NlpEngineProvider(nlp_configuration=models).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    entities = [name for name in asked["entities"] if name in analyzer.get_supported_entities("en")]
    found = [
        [(each.start, each.end, asked["entities"][each.entity_type]) for each in analyzer.analyze(
            text, language="en", entities=entities
        )]
        for text in asked["texts"]
    ]  # fmt: skip
    json.dump({"name": f"Presidio {version('presidio-analyzer')}", "model": named, "spans": found}, sys.stdout)


if __name__ == "__main__":
    main()
