"""Starts a service and ends it: settings in, exit code out."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import uvicorn
import uvloop
from starlette.applications import Starlette

from services.shared import collector, logs
from services.shared.errors import Again, Unusable
from services.shared.metrics import STANDSTILL_SECONDS
from services.shared.process import Process, Runtime
from services.shared.settings import ServiceSettings, read
from services.shared.watchdog import STUCK, Watchdog

log = logging.getLogger(__name__)

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Built = Runtime | Asgi | tuple[Runtime | Asgi, Sequence[Runtime]]
OURS = ("/health/live", "/health/ready", "/metrics")
HEALTH_SECONDS = 2.0  # what an answer of ours may take, when all else has ended

C = TypeVar("C", bound=ServiceSettings)


def start(settings: type[C], build: Callable[[C], Built]) -> NoReturn:
    """Read the settings, build the service and `run` it: all that a `__main__.py` does.

    `build` gives what `run` takes: the main part, or a pair of it and of what runs beside it. What keeps it from being
    built is one sentence with its remedy, and exit code 69; an error that is nobody's setting keeps its traceback.
    """
    config = read(settings)
    logs.start(config.service, config.log_level)
    try:
        built = build(config)
    except Unusable as error:
        _give_up(str(error))
    except OSError as error:
        _give_up(
            f"{error.filename or config.data} cannot be used: {error.strerror or error}; correct it or its setting"
        )
    main, background = built if isinstance(built, tuple) else (built, ())
    run(main, config, background=background)


def _give_up(sentence: str) -> NoReturn:
    log.critical("%s", sentence)
    logging.shutdown()
    raise SystemExit(Unusable.exit_code)


def run(main: Runtime | Asgi, config: ServiceSettings, *, background: Sequence[Runtime] = ()) -> NoReturn:
    """Run a service until SIGTERM or SIGINT, then end the process.

    `main` is a runtime (a Pipeline, Fold, Sink or Agent) or an ASGI application; `background` are runtimes beside it,
    started before the application takes requests and stopped after it takes no more: when its last request in hand
    is answered, or half of `drain_seconds` is over. On `http_port` there are `/health/live`, `/health/ready` and
    `/metrics`, and the application.

    Exit codes: 0 after a clean stop; 2 for settings; 69 when a person has to change something (a topic is missing,
    the port is taken); 70 when the watchdog ended it, a part ended by itself, or failed; 75 when the stop took longer
    than `drain_seconds`. Nothing is lost by any of them: what was not committed comes again.
    """
    logs.start(config.service, config.log_level)
    collector.calm()
    uvloop.run(_to_the_end(_Service(main, config, background)))
    raise AssertionError("the process has ended")


async def _to_the_end(service: "_Service") -> None:
    code = await service.serve()
    logging.shutdown()
    # Here, in the loop: closing it waits for tasks of libraries, and for work that did not end in time.
    os._exit(code)


class _Service:
    def __init__(self, main: Runtime | Asgi, config: ServiceSettings, background: Sequence[Runtime]) -> None:
        self._process = Process(config)
        self._asked = asyncio.Event()  # to stop; the runtimes are told by `process.stopping`, when it is their turn
        self._app: Asgi | None = None if hasattr(main, "run") else main
        self._runtimes: list[Runtime] = [*background, *([main] if hasattr(main, "run") else [])]  # type: ignore[list-item]

    async def serve(self) -> int:
        process, config = self._process, self._process.config
        try:
            listener = _listen(config.http_host, config.http_port)
        except OSError as error:
            log.error(
                "%s:%d cannot be listened on: %s; end who has it, or set another port",
                config.http_host,
                config.http_port,
                error.strerror,
            )
            return Unusable.exit_code
        log.info("%s listens on port %d", config.service, listener.getsockname()[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._asked.set)
        watchdog = Watchdog(process.progress, config.stall_seconds)
        watchdog.start()
        code = await self._parts(listener)
        watchdog.close()
        log.info("%s ends with exit code %d", config.service, code)
        return code

    async def _parts(self, listener: socket.socket) -> int:
        process = self._process
        server = _Server(uvicorn.Config(self._asgi(), log_config=None, access_log=False, lifespan="off"))
        web = asyncio.create_task(server.serve(sockets=[listener]), name="web")
        tasks = [asyncio.create_task(runtime.run(process), name=runtime.name) for runtime in self._runtimes]
        stop = asyncio.create_task(self._asked.wait(), name="stop")
        chores = [asyncio.create_task(self._standstill()), asyncio.create_task(collector.tidy())]
        await asyncio.wait([web, stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        code = 0 if self._asked.is_set() else _blame([web, *tasks])
        until = asyncio.get_running_loop().time() + process.config.drain_seconds
        if self._app is not None:
            server.should_exit = True  # no new request first, then the end of what they may need
            await asyncio.wait([web], timeout=process.config.drain_seconds / 2)
        process.stopping.set()
        code = code or await self._drain(tasks, until)
        server.should_exit = True
        await asyncio.wait([web], timeout=HEALTH_SECONDS if self._app is None else _left(until))
        for chore in chores:
            chore.cancel()
        return code

    async def _drain(self, tasks: Sequence[asyncio.Task[None]], until: float) -> int:
        if not tasks:
            return 0
        done, late = await asyncio.wait(tasks, timeout=_left(until))
        if late:
            log.warning("%s did not finish in time; it comes again", ", ".join(task.get_name() for task in late))
            return os.EX_TEMPFAIL
        return max((_failed(task) for task in done if task.exception()), default=0)

    async def _standstill(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for progress in self._process.progress:
                STANDSTILL_SECONDS.labels(progress.name).set(progress.idle_seconds(loop.time()))
            await asyncio.sleep(1)

    def _asgi(self) -> Asgi:
        ours: Asgi = Starlette(routes=self._process.health.routes())
        app = self._app

        async def route(scope: Any, receive: Any, send: Any) -> None:
            await (ours if app is None or scope.get("path") in OURS else app)(scope, receive, send)

        return route


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        """Signals are the service's, which has more to end than a web server."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _left(until: float) -> float:
    return max(0.0, until - asyncio.get_running_loop().time())


def _blame(tasks: Sequence[asyncio.Task[None]]) -> int:
    return max(_failed(task) for task in tasks if task.done())


def _failed(task: asyncio.Task[None]) -> int:
    """Say why a part has ended; the exit code."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Unusable | Again):
        log.critical("%s", error)
        return error.exit_code
    log.critical("%s ended by itself", task.get_name(), exc_info=error)
    return STUCK
