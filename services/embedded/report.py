"""What the supervisor says of itself: the answer of `GET /status`."""

import time
from typing import Any

from services.embedded.memory import proportional_bytes, tree
from services.embedded.part import Part
from services.embedded.supervisor import Supervisor
from services.shared.breaker import Marker


def report(supervisor: Supervisor, pid: int) -> dict[str, Any]:
    """Phase, addresses, and every part with its process, lag, rate and memory (bytes, PSS)."""
    plan = supervisor.plan
    parts = [_broker(supervisor), *(_part(supervisor, part) for part in supervisor.parts)]
    return {
        "phase": supervisor.phase,
        "complete": supervisor.complete.is_set(),
        "ready": all(part["ready"] for part in parts),
        "pid": pid,
        "uptime_seconds": round(time.monotonic() - supervisor.started_at, 1),
        "data": str(plan.data.root),
        "gateway": f"http://127.0.0.1:{plan.ports.base}",
        "console": f"http://127.0.0.1:{plan.ports.base + 1}",
        "clickhouse": plan.clickhouse_url,
        "bootstrap": plan.bootstrap,
        "control": plan.control_url,
        "broker_run": supervisor.keeper.run,
        "durable": plan.broker.engine.durable,
        "memory_bytes": sum(tree(pid).values()),
        "stopped": Marker.stopped(plan.data.root),
        "parts": parts,
    }


def brief(supervisor: Supervisor, pid: int) -> dict[str, Any]:
    """What `supervisor.json` holds: process ids, ports and the broker run."""
    pids = {part.launch.name: part.pid for part in supervisor.parts}
    broker = supervisor.keeper.broker
    return {
        "pid": pid,
        "port_base": supervisor.plan.ports.base,
        "control": supervisor.plan.control_url,
        "ports": supervisor.plan.ports.all(),
        "pids": pids | {"broker": None if broker is None else broker.child.pid},
        "broker_run": supervisor.keeper.run,
    }


def _broker(supervisor: Supervisor) -> dict[str, Any]:
    keeper = supervisor.keeper
    pid = keeper.broker.child.pid if keeper.broker is not None and keeper.alive else None
    began = keeper.started_at
    return {
        "name": "broker",
        "state": "ready" if pid else ("pausing" if keeper.renewing else "waiting"),
        "ready": pid is not None,
        "reason": "",
        "pid": pid,
        "port": supervisor.plan.ports.broker,
        "restarts": keeper.restarts.count,
        "uptime_seconds": None if pid is None or began is None else round(time.monotonic() - began, 1),
        "last_exit": None,
        "memory_bytes": None if pid is None else proportional_bytes(pid),
        "lag": None,
        "lag_by_topic": {},
        "per_second": None,
        "log": str(supervisor.plan.broker.log),
    }


def _part(supervisor: Supervisor, part: Part) -> dict[str, Any]:
    lag, pid, uptime = supervisor.lag.get(part.launch.name), part.pid, part.uptime_seconds
    rate = None if lag is None else lag.per_second
    return {
        "name": part.launch.name,
        "state": part.state,
        "ready": part.state == "ready",
        "reason": part.reason,
        "pid": pid,
        "port": part.launch.port,
        "restarts": part.restarts.count,
        "uptime_seconds": None if uptime is None else round(uptime, 1),
        "last_exit": part.last_exit,
        "memory_bytes": None if pid is None else proportional_bytes(pid),
        "lag": None if lag is None else lag.messages,
        "lag_by_topic": {} if lag is None else {name: count for name, count in lag.topics.items() if count},
        "per_second": None if rate is None else round(rate, 1),
        "log": str(part.launch.log),
    }
