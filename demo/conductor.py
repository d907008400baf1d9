"""The demo from its first second to its last."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import tidemark

from demo.chatbot import Chatbot
from demo.documentation import Passage, passages
from demo.stack import Stack, StackError
from demo.store import SCORERS, ClickHouseError, Store
from demo.story import Story, between
from demo.summary import Summary
from demo.traffic import Traffic
from demo.versions import APP, BAD, BUNDLES, ENVIRONMENT, GOOD
from services.embedded.memory import Peak
from services.shared.encoder import Encoder, EncoderOptions

CALLS_PER_SECOND = 4.0  # a laptop with AVX2 alone encodes about 45 texts a second, and three services share it
BAD_AFTER_SECONDS = 45.0  # version 1 must have a history that version 2 can be held against,
READY_BEFORE_SECONDS = 20.0  # and everybody must have caught up with it
TOLD_EVERY_SECONDS = 8.0
READY_SECONDS = 300.0
SETTLE_SECONDS = 60.0
SHOWN_SECONDS = 300  # on the page: the demo tells its story in two minutes


@dataclass
class Clocked:
    """What was seen when, in seconds since the demo began."""

    began: float = field(default_factory=time.monotonic)
    page: float | None = None
    ready: float | None = None
    first_score: float | None = None

    def now(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self.began


class Conductor:
    """Starts the stack, the chatbot and its visitors; sends version 2 out; watches; counts."""

    def __init__(self, stack: Stack, story: Story, stop: threading.Event) -> None:
        self._stack, self._story, self._stop = stack, story, stop
        self._clock = Clocked()
        self._peak = Peak()
        self._ledger = stack.data / "client" / "ledger"

    def run(self, seconds: float | None) -> Summary:
        """The whole demo; `seconds` counts from the first call, None goes on until stopped."""
        self._stack.start()
        with ThreadPoolExecutor(1) as aside:
            chatbot = aside.submit(_chatbot)
            self._stack.wait_for(self._stack.addresses.console, READY_SECONDS)
            self._clock.page = self._clock.now()
            page = f"{self._stack.addresses.console}/?seconds={SHOWN_SECONDS}"
            self._story.say("page", f"{page}   (up after {self._clock.page:.1f} s)")
            self._story.say("starting", "the services and their models")
            self._until_ready("gateway", "registry")
            client = self._client()
            self._deploy(GOOD, "the first version")
            self._until_ready(*SCORERS)
            bot, texts = chatbot.result()
        if not self._wait_until(lambda: bool(client.deployment().bundle), READY_SECONDS):
            raise StackError("the client sees no deployment: run `tidemark doctor`")
        traffic = Traffic(client, bot, texts, rate=CALLS_PER_SECOND)
        self._story.say("question", f"{len(texts)} passages of Python's documentation; people begin to ask")
        traffic.start()
        self._watch(traffic, seconds)
        traffic.stop()
        client.close()
        return self._summary(traffic)

    def _until_ready(self, *names: str) -> None:
        if not self._wait_until(lambda: self._ready(names), READY_SECONDS):
            raise StackError(f"not ready: {', '.join(names)}; run `tidemark status --data {self._stack.data}`")

    def _ready(self, names: Collection[str] = ()) -> bool:
        """Whether these parts are ready, or all of them."""
        with suppress(httpx.HTTPError, ValueError):
            return all(part["ready"] for part in self._stack.parts() if not names or part["name"] in names)
        return False

    def _client(self) -> tidemark.Client:
        self._ledger.parent.mkdir(parents=True)
        return tidemark.Client(
            url=self._stack.addresses.gateway,
            api_key=self._stack.api_key,
            app=APP,
            environment=ENVIRONMENT,
            spool=self._ledger.parent / "spool",
            ledger=self._ledger,
            poll_seconds=0.5,
        )

    def _deploy(self, version: str, reason: str) -> None:
        headers = {"Authorization": f"Bearer {self._stack.api_key}"}
        with httpx.Client(base_url=self._stack.addresses.registry, headers=headers, timeout=10) as registry:
            known = {"app": APP, "version": version, "bundle": BUNDLES[version]}
            registry.post("/v1/versions", json=known).raise_for_status()
            order = {"version": version, "reason": reason}
            registry.put(f"/v1/deployments/{APP}/{ENVIRONMENT}", json=order).raise_for_status()

    def _watch(self, traffic: Traffic, seconds: float | None) -> None:
        store = Store(self._stack.addresses.store)
        bad_is_out, told_at = False, 0.0
        while not self._stop.wait(0.5):
            self._stack.check()
            ready_for = self._ready_for()
            if traffic.first_at is None:
                continue
            self._story.began = traffic.first_at
            elapsed = time.time() - traffic.first_at
            if seconds is not None and elapsed >= seconds:
                return
            if not bad_is_out and elapsed >= BAD_AFTER_SECONDS and ready_for >= READY_BEFORE_SECONDS:
                self._deploy(BAD, "a bigger model with more personality")
                bad_is_out = True
            # A part that is being restarted must not end the demo: it is watched again half a second later.
            with suppress(ClickHouseError, OSError):
                self._look(store)
                if elapsed - told_at >= TOLD_EVERY_SECONDS:
                    told_at = elapsed
                    self._story.exchange(traffic.last)
                    self._story.measures(store)

    def _ready_for(self) -> float:
        """For how many seconds everybody has been ready; raises `StackError` where that takes too long."""
        if self._clock.ready is None and self._ready():
            self._clock.ready = self._clock.now()
        if self._clock.ready is None and self._clock.now() > READY_SECONDS:
            raise StackError(f"not every service is ready: run `tidemark status --data {self._stack.data}`")
        return self._clock.now() - self._clock.ready if self._clock.ready else 0.0

    def _look(self, store: Store) -> None:
        self._peak.look()
        if self._clock.first_score is None and store.somebody_was_scored_by_all():
            self._clock.first_score = self._clock.now()
            self._story.say("scored", f"one call by every scorer, {self._clock.first_score:.1f} s after the start")
        self._story.events(store)

    def _summary(self, traffic: Traffic) -> Summary:
        self._story.say("counting", "every acknowledged call against the store")
        counts = self._verified()
        store = Store(self._stack.addresses.store)
        began = store.first_bad_window()
        fired = [row["changed_at"] for row in store.events("alert") if row["version"] == BAD]
        restored = [row["deployed_at"] for row in store.events("deployment") if row["decision_id"]]
        lasted = time.time() - (traffic.first_at or time.time())
        return Summary(
            emitted=traffic.asked,
            acknowledged=counts["acknowledged"],
            stored=counts["stored"],
            dead_lettered=counts["dead_lettered"],
            lost=counts["lost"] + counts["pending"],
            duplicates=counts["duplicates"],
            page_seconds=self._clock.page,
            first_score_seconds=self._clock.first_score,
            seconds_to_alert=between(began, fired),
            seconds_to_rollback=between(began, restored),
            verified=any(row["state"] == "done" for row in store.events("outcome")),
            peak_memory_bytes=self._peak.bytes,
            calls_per_second=round(traffic.asked / lasted, 2) if lasted else 0.0,
            url=self._stack.addresses.console,
        )

    def _verified(self) -> dict[str, Any]:
        """What `tidemark verify` says, once nothing is on its way any more."""
        command = [str(Path(sys.executable).with_name("tidemark")), "verify", "--json"]
        command += ["--ledger", str(self._ledger), "--spool", str(self._ledger.parent / "spool")]
        command += ["--data", str(self._stack.data), "--wait", str(SETTLE_SECONDS)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if not said.stdout.strip():
            raise StackError(f"`tidemark verify` says: {said.stderr.strip()}")
        counts: dict[str, Any] = json.loads(said.stdout)
        return counts

    def _wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._stop.is_set():
            self._stack.check()
            if condition():
                return True
            time.sleep(0.2)
        return False


def _chatbot() -> tuple[Chatbot, list[Passage]]:
    texts = passages()
    return Chatbot(texts, _Shared(Encoder.load(EncoderOptions()))), texts


class _Shared:
    """One encoder for the threads of all visitors, one at a time."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self._one = encoder, threading.Lock()

    def encode(self, texts: Any) -> Any:
        with self._one:
            return self._encoder.encode(texts)
