"""Ingestions that are killed anywhere end, when started again, exactly as if nothing had happened."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_killed_ingestions_end_like_undisturbed_ones(tmp_path):
    """Five rounds, one a phase: first ingestion, changes, deletion, changes taken back, another embedder."""
    command = [sys.executable, "-m", "benchmarks.kill_test", "--times", "5", "--cold-every", "0", "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-6000:]}"
    assert "5 rounds, 5 equal to the undisturbed run" in done.stdout
    killed = [int(count) for count in re.findall(r"(\d+) killed", done.stdout)]
    assert sum(killed) >= 3, f"too few kills struck to mean anything: {done.stdout}"
