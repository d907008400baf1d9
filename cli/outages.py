"""How a subcommand ends that asks the store or the broker in vain."""

from collections.abc import Iterator
from contextlib import contextmanager
from socket import gaierror

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import Error, OperationalError

from cli.printing import fail
from services.shared.errors import Transient, Unusable


@contextmanager
def answered() -> Iterator[None]:
    """End with a sentence and exit code 2 where order or files make no sense, or store or broker do not answer."""
    try:
        yield
    except (OperationalError, KafkaError, ConnectionError, gaierror, TimeoutError) as error:
        fail(f"store or broker do not answer: {error or type(error).__name__}")
    except (ValueError, Unusable, Transient, Error, OSError) as error:
        fail(str(error))
