"""Where the demo's stack goes."""

import socket

from demo import stack
from services.embedded.services import Ports
from tests.unit.embedded_stack.stack_of_programs import free_base


def test_a_base_of_which_one_port_is_taken_is_passed_over(monkeypatch, tmp_path):
    first = free_base()
    second = next(base for base in iter(free_base, None) if abs(base - first) > 100)
    monkeypatch.setattr(stack, "BASES", (first, second))
    with socket.create_server(("127.0.0.1", max(Ports(first).all().values()))):
        assert stack.Stack(tmp_path, {}).addresses.base == second
