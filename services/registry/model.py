"""What the registry's routes take and give."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.registry.registry import Version
from services.shared.access import KeyHash
from services.shared.names import LABEL, NAME

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=NAME)]
Optional = Annotated[str, Field(max_length=200, pattern=f"^$|{NAME}")]
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=LABEL)]  # part of no path
Reason = Annotated[str, Field(max_length=2000)]
Revision = Annotated[int, Field(ge=0, description="the revision that has to run; 0: nothing was deployed yet")]
Token = Annotated[int, Field(ge=1, description="the fencing token of the lease")]
Scope = Literal["emit", "read", "deploy", "admin"]


class Body(BaseModel):
    """A request's body: a field that is not known is refused, so a misspelt one never passes silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewVersion(Body):
    """A version to register."""

    app: Name = Field(examples=["shop-assistant"])
    version: Name = Field(description="the label", examples=["v2"])
    bundle: dict[str, Any] = Field(
        description="model, provider, parameters, prompt template, …: everything that decides what is answered",
        examples=[{"model": "llama-3.1-8b", "provider": "vllm", "parameters": {"temperature": 0.2}}],
    )


class RegisteredVersion(BaseModel):
    """A version as it is registered."""

    app: str
    version: str
    hash: str = Field(description="SHA-256 of the bundle as JSON with sorted keys")
    bundle: Mapping[str, Any]
    registered_at: datetime
    registered_by: str

    @classmethod
    def of(cls, known: Version) -> "RegisteredVersion":
        """The registered version as the routes give it."""
        return cls(**{**vars(known), "version": known.label})


class VersionList(BaseModel):
    """Versions, oldest first."""

    versions: list[RegisteredVersion]


class NewDeployment(Body):
    """What is to serve a target."""

    version: Label = Field(examples=["v2"])
    reason: Reason = Field(default="", examples=["shorter answers"])
    expected_revision: Revision | None = None
    fencing_token: Token | None = None
    weights: dict[Label, float] = Field(default={}, description="version to share of traffic, during an experiment")


class LeaseRequest(Body):
    """Who wants to change a target alone, and for how long."""

    holder: Label = Field(examples=["rollback:0f6a…"])
    seconds: float = Field(default=60, gt=0, le=3600)


class LeaseAnswer(BaseModel):
    """The lease, and what runs while it lasts."""

    fencing_token: int
    holder: str
    expires_at: datetime
    revision: int
    version: str | None


class Baseline(Body):
    """The version that a target is compared with."""

    version: Label = Field(examples=["v1"])


class BaselineAnswer(BaseModel):
    """The baseline of a target."""

    version: str
    set_at: datetime
    set_by: str


class Freeze(Body):
    """The kill switch: whether automatic actions are stopped, and where."""

    frozen: bool
    app: Optional = Field(default="", description="one application; empty: all of them")
    environment: Optional = Field(default="", description="one environment; empty: all of them")
    reason: Reason = Field(default="", examples=["the model host is being moved"])


class FreezeAnswer(BaseModel):
    """One freeze that lasts."""

    app: str
    environment: str
    reason: str
    set_at: datetime
    set_by: str


class FreezeList(BaseModel):
    """Every freeze that lasts."""

    freezes: list[FreezeAnswer]


class NewKey(Body):
    """A key to make."""

    name: Label = Field(examples=["shop in production"])
    scopes: list[Scope] = Field(min_length=1, examples=[["emit"]])


class KeyAnswer(BaseModel):
    """What is kept of a key."""

    key_id: str
    name: str
    scopes: list[str]

    @classmethod
    def of(cls, kept: KeyHash) -> "KeyAnswer":
        """What may be shown of a key."""
        return cls(key_id=kept.key_id, name=kept.name, scopes=list(kept.scopes))


class CreatedKey(KeyAnswer):
    """A key, shown this once."""

    key: str


class KeyList(BaseModel):
    """The tenant's valid keys."""

    keys: list[KeyAnswer]
