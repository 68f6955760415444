"""Model servers under supervision: started, waited for, restarted when they die, ended together."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from pydantic import Field

from llmflow.adapters.vllm_process import ModelServerSettings, VllmProcess
from llmflow.adapters.vllm_server import VllmServer
from llmflow.config import Settings
from llmflow.errors import LlmflowError, ModelUnavailable

log = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Tells a person one line."""


class SupervisionSettings(Settings):
    start_s: float = Field(default=600.0, gt=0)
    """How long a model may take until it answers."""
    say_s: float = Field(default=10.0, gt=0)
    """A progress line this often while one waits."""
    unhealthy_s: float = Field(default=60.0, gt=0)
    """A server that lives but has not answered for so long is restarted."""
    max_restarts: int = Field(default=5, ge=0)
    """In a row; a server that ran for `settled_s` starts counting anew."""
    settled_s: float = Field(default=300.0, gt=0)
    pause_s: float = Field(default=2.0, ge=0)
    """Before the first restart; doubled each time up to a minute."""
    grace_s: float = Field(default=20.0, gt=0)
    poll_s: float = Field(default=1.0, gt=0)


class SupervisedServer:
    """One server and what has happened to it."""

    def __init__(self, settings: ModelServerSettings, log_folder: Path, api_key: str, supervision: SupervisionSettings):
        self.settings = settings
        self.process = VllmProcess(settings, log_folder / f"{settings.name}.log", api_key)
        self.client = VllmServer(settings.address, api_key)
        self._supervision = supervision
        self._restarts = 0
        self._ready_at = 0.0
        self._heard_at = 0.0

    def start(self, say: Say, stop: Event) -> None:
        """Start it and return once it answers or `stop` is set. Raises ModelUnavailable with its last words when it dies."""
        self.process.start()
        begun = said = time.monotonic()
        say(f"{self.settings.name}: starting {self.settings.model} on {self.settings.address}, log {self.process.log}")
        while not stop.is_set():
            now = time.monotonic()
            if self.process.exit_code() is not None:
                raise ModelUnavailable(
                    f"{self.settings.name} ended with status {self.process.exit_code()} before it was ready. It said:\n"
                    f"{self.process.last_words()}\nThe whole log: {self.process.log}"
                )
            if self.client.healthy():
                self._ready_at = self._heard_at = now
                say(f"{self.settings.name}: ready after {now - begun:.0f} s")
                return
            if now - begun > self._supervision.start_s:
                self.process.stop(self._supervision.grace_s)
                raise ModelUnavailable(
                    f"{self.settings.name} was not ready after {now - begun:.0f} s. See {self.process.log}; "
                    "a large model needs a larger serving.supervision.start_s."
                )
            if now - said >= self._supervision.say_s:
                said = now
                say(f"{self.settings.name}: loading, {now - begun:.0f} s; {_last_line(self.process.log)}")
            stop.wait(self._supervision.poll_s)

    def look(self, say: Say, stop: Event, restored: Callable[[VllmServer], None]) -> None:
        """Restart it when it died or has not answered for too long. Raises ModelUnavailable when that does not help."""
        now = time.monotonic()
        if self.process.alive():
            if self.client.healthy():
                self._heard_at = now
                if now - self._ready_at > self._supervision.settled_s:
                    self._restarts = 0
                return
            if now - self._heard_at < self._supervision.unhealthy_s:
                return
            why = f"has not answered for {now - self._heard_at:.0f} s"
        else:
            why = f"ended with status {self.process.exit_code()}"
        if self._restarts >= self._supervision.max_restarts:
            raise ModelUnavailable(
                f"{self.settings.name} {why}, after {self._restarts} restarts. It said:\n{self.process.last_words()}\n"
                f"The whole log: {self.process.log}"
            )
        pause = min(60.0, self._supervision.pause_s * 2**self._restarts)
        self._restarts += 1
        say(f"{self.settings.name} {why}: restart {self._restarts} of {self._supervision.max_restarts} in {pause:.0f} s")
        self.process.stop(self._supervision.grace_s)
        if stop.wait(pause):
            return
        try:
            self.start(say, stop)
            if not stop.is_set():
                restored(self.client)
        except LlmflowError as exc:
            say(str(exc))  # the next look finds it dead and counts

    def stop(self) -> None:
        self.process.stop(self._supervision.grace_s)
        self.client.close()


def supervise(
    servers: Sequence[SupervisedServer],
    say: Say,
    stop: Event,
    ready: Callable[[], None],
    restored: Callable[[VllmServer], None],
    poll_s: float = 2.0,
) -> None:
    """Run the servers until `stop` is set; then, or when one cannot be kept alive, end all of them.

    Call it from the main thread: the kernel ends a server with the thread that started it. They start one after the other, since
    each takes every core while it loads. `ready` is called once all answer, `restored` after each restart.
    """
    try:
        for server in servers:
            server.start(say, stop)
        if not stop.is_set():
            ready()
        while not stop.wait(poll_s):
            for server in servers:
                server.look(say, stop, restored)
    finally:
        say("stopping")
        for server in servers:
            server.stop()
        say("stopped")


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2000))
            lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip()[-100:] if lines else ""
