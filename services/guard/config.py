"""The settings of guard."""

from pathlib import Path

from pydantic import Field

from services.guard.guard.pii import KINDS
from services.guard.injection_model import BUILTIN
from services.guard.model import TAGGER
from services.shared.encoder_settings import EncoderSettings


class Config(EncoderSettings, env_prefix="TIDEMARK_GUARD_"):
    """TIDEMARK_GUARD_*."""

    http_port: int = Field(8719, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    injection: Path = Field(BUILTIN, description="The trained heads of injection, for the encoder that `model` names.")
    tagger: Path = Field(TAGGER, description="The trained tagger of names, addresses and telephone numbers.")
    presidio: str = Field(
        "",
        description="A spaCy model, by name or directory: with it Presidio (an extra) looks for personal data, instead "
        "of the built-in rules and the tagger.",
    )
    pii_kinds: str = Field(
        ",".join(KINDS),
        pattern=rf"^({'|'.join(KINDS)})(,({'|'.join(KINDS)}))*$",
        description="Kinds of personal data that make a text risky, with commas; others are evidence alone.",
    )
    canaries: Path | None = Field(
        None, description="YAML or JSON of each tenant's canary strings: {tenant: [text, …]}."
    )
    protected_texts: Path | None = Field(None, description="A directory of UTF-8 texts that no response may repeat.")
