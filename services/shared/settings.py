"""Settings: from the environment only, read once, refused when they are not understood."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.shared.declared import ROOT
from services.shared.errors import WrongSettings

PREFIX = "TIDEMARK_"
SERVICES = Path(__file__).parents[1]
# One @ at most, and before the path: with more of them it cannot be told where the password ends. A port that is no
# number may be the beginning of a password.
_ADDRESS = re.compile(
    r"([A-Za-z][\w+.-]*://)(?:[^@/?#\s]*@)?((?:\[[0-9A-Fa-f:.]+\]|[^@/?#\s:\[\]]*)(?::\d*)?)(?:[/?#][^@]*)?"
)
_BROKER = re.compile(r"\s*(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(:\d{1,5})?\s*")

C = TypeVar("C", bound="ServiceSettings")


def http_url(text: str) -> str:
    """The address without slashes at its end. Raises `WrongSettings`, without a word of what may be a password.

    >>> http_url("http://tide:a%2Fb@db:8123/")
    'http://tide:a%2Fb@db:8123'
    """
    if not text.startswith(("http://", "https://")):
        raise WrongSettings(["an address begins with http:// or https://"])
    try:
        parts = urlsplit(text)
        told = parts.hostname and parts.port != 0 and "@" not in parts.path + parts.query + parts.fragment
    except ValueError:
        told = False
    if not told:
        raise WrongSettings(["host or port cannot be read: write http://host:port, the password percent-encoded"])
    return text.rstrip("/")


def clickhouse_url(text: str) -> str:
    """As `http_url`, with ClickHouse's own port where none is said.

    >>> clickhouse_url("http://tide:a%2Fb@db"), clickhouse_url("https://[::1]/behind"), clickhouse_url("http://db:80/")
    ('http://tide:a%2Fb@db:8123', 'https://[::1]:8443/behind', 'http://db:80')
    """
    parts = urlsplit(address := http_url(text))
    if parts.port is not None:
        return address
    port = 8443 if parts.scheme == "https" else 8123
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.removesuffix(':')}:{port}"))


def _brokers(text: str) -> str:
    if not all(_BROKER.fullmatch(broker) for broker in text.split(",")):
        raise ValueError("write host:port, and a comma between brokers")
    return text


def models_folder() -> Path:
    """Where converted models lie unless something else is said: in the checkout's `models`, else in that of here."""
    there = ROOT / "models"
    return there if there.is_dir() else Path("models")


Url = Annotated[str, AfterValidator(http_url)]
ClickHouseUrl = Annotated[str, AfterValidator(clickhouse_url)]
Brokers = Annotated[str, AfterValidator(_brokers)]


class SharedSettings(BaseSettings):
    """What every process of a deployment is told alike: `TIDEMARK_<FIELD>`. Raises `WrongSettings`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, populate_by_name=True, extra="forbid")

    data: Path = Field(Path(".tidemark"), alias="TIDEMARK_DATA", description="The one directory that holds everything.")
    kafka_bootstrap: Brokers = Field(
        "127.0.0.1:8705", alias="TIDEMARK_KAFKA_BOOTSTRAP", description="Brokers, host:port with commas."
    )
    kafka_prefix: str = Field(
        "",
        alias="TIDEMARK_KAFKA_PREFIX",
        max_length=100,
        pattern=r"^[a-zA-Z0-9._-]*$",
        description="Put before every topic and group.",
    )
    clickhouse_url: ClickHouseUrl = Field(
        "http://127.0.0.1:8703",
        alias="TIDEMARK_CLICKHOUSE_URL",
        description="With user and password where it has them, percent-encoded.",
    )
    clickhouse_database: str = Field(
        "tidemark", alias="TIDEMARK_CLICKHOUSE_DATABASE", pattern=r"^\w+$", description="The database of the tables."
    )
    registry_url: Url = Field(
        "http://127.0.0.1:8702", alias="TIDEMARK_REGISTRY_URL", description="Where deployments are asked for."
    )
    secret: SecretStr = Field(
        SecretStr(""),
        alias="TIDEMARK_SECRET",
        description="What services show each other, and what API keys are hashed with.",
    )
    payloads_url: str = Field(
        "",
        alias="TIDEMARK_PAYLOADS_URL",
        description="Where texts of large calls lie: a directory or what fsspec opens; unset: in the data directory.",
    )
    models: Path = Field(
        default_factory=models_folder, alias="TIDEMARK_MODELS", description="The folder of converted models."
    )
    log_level: str = Field(
        "INFO",
        alias="TIDEMARK_LOG_LEVEL",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR.",
    )

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:  # its own text shows what was given, passwords too
            raise WrongSettings([_complaint(type(self), detail) for detail in error.errors()]) from None


class ServiceSettings(SharedSettings):
    """The settings of one service: the shared ones, those of its runtime, and its own.

    A service writes `class Config(ServiceSettings, env_prefix="TIDEMARK_<SERVICE>_")`, with a bound and a description
    on each field, and its own default of `http_port`.
    """

    http_host: str = Field("127.0.0.1", min_length=1, description="The address to listen on.")
    http_port: int = Field(0, ge=0, le=65_535, description="Health and metrics, and the API; 0 takes any free port.")
    batch_records: int = Field(500, ge=1, le=100_000, description="The most records that are handled at once.")
    linger_seconds: float = Field(0.0, ge=0, le=60, description="How long a batch may wait to be filled.")
    heartbeat_seconds: float = Field(0.3, gt=0, le=10, description="Between heartbeats to the group's coordinator.")
    session_seconds: float = Field(6.0, ge=1, le=300, description="After this silence the group gives a member up.")
    stall_seconds: float = Field(120.0, ge=1, description="With lag and no progress for this long, the process ends.")
    drain_seconds: float = Field(10.0, ge=0, le=300, description="How long a stop may take to finish what is begun.")
    replay: str = Field(
        "",
        max_length=100,
        pattern=r"^[a-zA-Z0-9._-]*$",
        description="The name of a replay: read under a group of its own, and mark what is emitted.",
    )
    replay_ends: dict[str, list[int]] = Field(
        {}, description="The topics that a replay reads, and the offset of each partition that it stops before."
    )

    @property
    def service(self) -> str:
        """The one word that names the service everywhere."""
        return service_of(type(self))

    def group_of(self, runtime: str) -> str:
        """The consumer group of a runtime, prefix included: its name, or one of its own in a replay."""
        return f"{self.kafka_prefix}{self.name_of(runtime)}"

    def name_of(self, runtime: str) -> str:
        """The name under which a runtime is stopped and resumed: another one in a replay."""
        return f"{runtime}.replay.{self.replay}" if self.replay else runtime


def service_of(settings: type[ServiceSettings]) -> str:
    """The service whose settings these are, by their prefix."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    return prefix.removeprefix(PREFIX).removesuffix("_").lower()


def read(settings: type[C], environment: Mapping[str, str] | None = None) -> C:
    """The settings of this process; a variable that is wrong or unknown ends it with exit code 2.

    What is wrong goes to standard error: one line a variable, with the remedy.
    """
    names = os.environ if environment is None else environment
    if strangers := unknown_variables(names, settings):
        _refuse(
            f"{name} is no setting; did you mean {_nearest(name, settings)}? Correct or unset it" for name in strangers
        )
    try:
        return settings()
    except WrongSettings as error:
        _refuse(error.lines)


def variables(settings: type[BaseSettings]) -> dict[str, str]:
    """The environment variable of each field."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    return {name: field.alias or f"{prefix}{name.upper()}" for name, field in settings.model_fields.items()}


def unknown_variables(names: Iterable[str], settings: type[BaseSettings]) -> list[str]:
    """Names under the prefix that neither these settings nor another service would read."""
    known = set(variables(settings).values())
    own = str(settings.model_config.get("env_prefix", ""))
    others = tuple(prefix for prefix in _prefixes() if prefix != own)
    return sorted(
        name for name in names if name.startswith(PREFIX) and name not in known and not name.startswith(others)
    )


def _prefixes() -> list[str]:
    # The folders are the list of services: this one names none.
    return [
        f"{PREFIX}{path.name.upper()}_"
        for path in SERVICES.iterdir()
        if path.is_dir() and path != Path(__file__).parent
    ]


def _nearest(name: str, settings: type[BaseSettings]) -> str:
    return (get_close_matches(name, variables(settings).values(), n=1, cutoff=0) or ["another"])[0]


def _complaint(settings: type[BaseSettings], detail: Any) -> str:
    place = str(detail["loc"][0]) if detail["loc"] else ""
    name = variables(settings).get(place, place)
    field = next((f for n, f in settings.model_fields.items() if name == variables(settings)[n]), None)
    meaning = f" ({field.description})" if field and field.description else ""
    given = "" if field is None or "SecretStr" in str(field.annotation) else _shown(str(detail["input"]))
    return f"{name}{meaning}: {detail['msg']}{given}. Set it right or unset it to take the default"


def without_password(address: str, otherwise: str = "…") -> str:
    """Scheme and host of an address, or `otherwise` where it cannot be told where its password ends.

    >>> without_password("http://tide:secret@db:8123/x")
    'http://db:8123'
    """
    found = _ADDRESS.fullmatch(address)
    return found[1] + found[2] if found else otherwise


def _shown(given: str) -> str:
    """What was given, as far as it can be no password: of an address, the scheme and the host."""
    if "://" in given:
        address = without_password(given, otherwise="")
        return f", not {address!r}" if address else ""
    return "" if {"@", "="} & set(given) else f", not {given!r}"


def _refuse(lines: Iterable[str]) -> NoReturn:
    sys.stderr.write("".join(f"settings: {line}.\n" for line in lines))
    raise SystemExit(2)
