"""Who listens on a port of this machine."""

import socket
from collections.abc import Mapping

import psutil


def taken(ports: Mapping[str, int]) -> dict[str, int]:
    """The ports, by the name of who wants them, that somebody else listens on."""
    return {name: port for name, port in ports.items() if not _free(port)}


def occupant(port: int) -> str:
    """Who listens there, as far as this user may know."""
    for connection in psutil.net_connections("tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid:
            try:
                return f"process {connection.pid} ({' '.join(psutil.Process(connection.pid).cmdline())[:120]})"
            except psutil.Error:
                return f"process {connection.pid}"
    return "a process of another user"


def _free(port: int) -> bool:
    with socket.socket() as tried:
        # As servers do: a port whose last connections are still being forgotten is free.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
