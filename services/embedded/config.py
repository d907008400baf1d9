"""What the supervisor is told, and what it tells the services."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from tidemark.settings import Settings

from services.embedded.data_directory import DataDirectory
from services.embedded.loopback import reached_directly
from services.embedded.services import NAMES, SERVICES, Ports, Service
from services.shared.settings import PREFIX, SharedSettings, variables

OWN_PREFIX = "TIDEMARK_EMBEDDED_"
SHARED = tuple(variables(SharedSettings).values())
# Several libraries, one reason: more threads than cores make every process of the stack slower.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
MEBIBYTE = 1024 * 1024
SMALLEST_SPOOL_BYTES = 16 * MEBIBYTE  # the gateway refuses a smaller one


class Config(SharedSettings, env_prefix=OWN_PREFIX):
    """Settings of the embedded stack, beside those that every process shares."""

    broker: Literal["", "tansu", "kafka"] = Field(
        "", description="tansu (log in memory) or kafka (log on disk); empty: what the data directory has, or tansu."
    )
    port_base: int = Field(8700, ge=1024, le=65_000, description="The first port; the others are counted from it.")
    broker_memory_bytes: int = Field(
        1024 * MEBIBYTE, ge=16 * MEBIBYTE, description="Beyond this the broker is drained and started anew."
    )
    log_bytes: int = Field(10 * MEBIBYTE, ge=4096, description="A log file longer than this is rotated.")
    ready_seconds: float = Field(180, gt=0, description="How long the start waits for one service to be ready.")
    drain_seconds: float = Field(20, ge=0, description="How long a stop waits for the consumers' lag to be nothing.")
    stop_seconds: float = Field(15, gt=0, description="How long one process may take to end.")
    without: str = Field("", description="Services that are not started, with commas between them.")

    @property
    def left_out(self) -> frozenset[str]:
        """The services that are not started; raises `ValueError` for a name that is none."""
        named = frozenset(name.strip() for name in self.without.split(",") if name.strip())
        if unknown := named - set(NAMES):
            raise ValueError(f"no such service: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
        return named


class Environment:
    """What each process of the stack finds in its environment.

    A service is given the shared variables and its own, nothing else under the prefix: so it can refuse what it does
    not know, and a secret reaches only those who need it.
    """

    def __init__(self, config: Config, data: DataDirectory, outside: Mapping[str, str], *, durable: bool) -> None:
        self._config, self._data, self._durable = config, data, durable
        self._ports = Ports(config.port_base)
        self._base = {name: value for name, value in outside.items() if not name.startswith(PREFIX)}
        self._given = {name: value for name, value in outside.items() if name.startswith(PREFIX)}

    def of(self, service: Service, cores: int) -> dict[str, str]:
        """The environment of one service on a machine with `cores` cores; `ValueError` where its port is given."""
        words = {
            "data": str(self._data.root),
            "api_key": self._data.api_key(),
            "groups": ",".join(self._groups()),
            "spool_bytes": str(self._spool_bytes()),
        }
        told = {**service.environment, **({} if self._durable else service.in_memory)}
        needed = {name: value.format(**words) for name, value in told.items()}
        own = f"{PREFIX}{service.name.upper()}_"
        given = {name: value for name, value in self._given.items() if name.startswith(own)}
        port = {f"{own}HTTP_PORT": str(self._ports.of(service))}
        if port.keys() & given.keys():  # it would listen where nobody asks
            raise ValueError(f"{own}HTTP_PORT: the stack counts its ports from one base: use --port-base instead")
        return {**self.process(cores), **self.shared(), **needed, **port, **given}

    def _groups(self) -> list[str]:
        running = (service for service in SERVICES if service.name not in self._config.left_out)
        return [group for service in running for group in service.groups]

    def _spool_bytes(self) -> int:
        # A new broker is sent all of it, and what is made of it comes on top: with no room for that, each would be
        # replaced like the last.
        return max(self._config.broker_memory_bytes // 2, SMALLEST_SPOOL_BYTES)

    def process(self, cores: int) -> dict[str, str]:
        """What has nothing to do with Tidemark: the outside, and one thread where cores are few."""
        threads = dict.fromkeys(_ONE_THREAD, "1") if cores < len(NAMES) else {}
        outside = {**self._base, **reached_directly(self._base)}
        return {**outside, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **threads}

    def shared(self) -> dict[str, str]:
        """The variables that every service understands."""
        local = "127.0.0.1"
        addresses = {
            "TIDEMARK_DATA": str(self._data.root),
            "TIDEMARK_KAFKA_BOOTSTRAP": f"{local}:{self._ports.broker}",
            "TIDEMARK_KAFKA_PREFIX": self._config.kafka_prefix,
            "TIDEMARK_CLICKHOUSE_URL": f"http://{local}:{self._ports.clickhouse}",
            "TIDEMARK_CLICKHOUSE_DATABASE": self._config.clickhouse_database,
            "TIDEMARK_REGISTRY_URL": f"http://{local}:{self._ports.base + 2}",
            "TIDEMARK_SECRET": self._data.secret(),
            "TIDEMARK_MODELS": str(self._config.models.absolute()),
        }
        given = {name: value for name, value in self._given.items() if name in SHARED and name not in addresses}
        return {name: value for name, value in (addresses | given).items() if value}


def unknown_variables(names: Mapping[str, str]) -> list[str]:
    """Variables under the prefix that no part of the stack would read: most likely misspelt.

    >>> unknown_variables({"TIDEMARK_WRITERS_X": "1", "TIDEMARK_WRITER_X": "1", "HOME": "/"})
    ['TIDEMARK_WRITERS_X']
    """
    clients = {f"{PREFIX}{name.upper()}" for name in vars(Settings({}))}
    prefixes = (OWN_PREFIX, *(f"{PREFIX}{name.upper()}_" for name in NAMES))
    known = {*SHARED, *clients}
    return [name for name in names if name.startswith(PREFIX) and name not in known and not name.startswith(prefixes)]
