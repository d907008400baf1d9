"""Calls through the real client at a steady rate, and what became of them."""

import json
import threading
from itertools import count

from tidemark import Client

CONTEXT = "The tide tables are printed every spring; the harbour office sells them for four dollars."
ANSWERS = (
    "The harbour office sells the tide tables for four dollars.",
    "They are printed every spring, and sold by the harbour office.",
    "A kettle boils faster on a mountain.",
)


class Traffic:
    """Emits until it is stopped, with a spool and a ledger under the stack's data directory."""

    def __init__(self, stack, calls_per_second=20.0, **options):
        folder = stack.data / "traffic"
        folder.mkdir()
        self.ledger, self.spool = folder / "ledger", folder / "spool"
        self.client = Client(
            url=f"http://127.0.0.1:{stack.ports.base}",
            api_key=(stack.data / "api-key").read_text().strip(),
            app="harbour",
            environment="test",
            version="v1",
            spool=self.spool,
            ledger=self.ledger,
            longest_backoff_seconds=1.0,
            **options,
        )
        self._stack, self._pause = stack, 1 / calls_per_second
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._emit, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        if not self._stopping.is_set():
            self.stop()

    def stop(self):
        """Emit no more, and leave nothing in memory."""
        self._stopping.set()
        self._thread.join()
        self.client.close()

    @property
    def emitted(self):
        return self.client.stats().emitted

    def verify(self, wait=60):
        """What `tidemark verify` says: exit code and counts."""
        named = ("--ledger", str(self.ledger), "--spool", str(self.spool))
        done = self._stack.tidemark("verify", *named, "--json", "--wait", str(wait))
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def accounted(self):
        """Assert that every call that was emitted is stored once; the counts."""
        stats = self.client.stats()
        code, counts = self.verify()
        assert (stats.dropped, stats.rejected) == (0, 0), stats
        expected = {"acknowledged": stats.emitted, "stored": stats.emitted}
        nothing = dict.fromkeys(("dead_lettered", "lost", "duplicates", "pending"), 0)
        assert (code, counts) == (0, expected | nothing)
        return counts

    def _emit(self):
        for number in count():
            if self._stopping.wait(self._pause):
                return
            self.client.emit(
                prompt=f"Where do I get tide table number {number}?",
                context=[CONTEXT],
                response=ANSWERS[number % len(ANSWERS)],
                duration_seconds=0.5,
            )
