"""A served workspace as tests of a real vLLM see it."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

KEY = "a-key-of-this-test"
START_SECONDS = 600


@dataclass
class Served:
    """`llmflow serve-llm` in a process of its own, asked with a key."""

    home: Path
    address: str
    process: subprocess.Popen
    log: Path

    def server(self) -> psutil.Process:
        """Return vLLM's own process."""
        children = psutil.Process(self.process.pid).children()
        (found,) = [child for child in children if "vllm.entrypoints" in " ".join(child.cmdline())]
        return found


def alive(process: subprocess.Popen) -> bool:
    return process.poll() is None


def wait_until(true, what: str, seconds: float = START_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)
