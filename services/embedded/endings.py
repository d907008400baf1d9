"""What asks a program in a terminal to end."""

import signal


def endings() -> tuple[signal.Signals, ...]:
    """Ctrl-C, `kill`, and a terminal that is closed: but for a program under `nohup`, which is to outlive it."""
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM) if outlives else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
