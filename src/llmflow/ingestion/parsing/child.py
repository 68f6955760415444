"""Outside programs (tesseract, pandoc, soffice) as children that never outlive the worker that called them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> Callable[[], None] | None:
    """Return a function for a new child that has the kernel kill it when its parent ends; None where that is not Linux."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return arm


def run_child(command: Sequence[str], data: bytes | None = None, *, timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    """Run `command` without a shell and return its output; a non-zero exit is not an error here.

    Raises subprocess.TimeoutExpired (the child is killed) and FileNotFoundError.
    """
    return subprocess.run(
        command,
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        timeout=timeout_s,
        check=False,
        env=os.environ | {"OMP_THREAD_LIMIT": "1"},  # tesseract's own threads only get in each other's way
        preexec_fn=die_with_parent(),
    )
