"""The sample corpus, ingested once a session: tests that change what is served copy its folder."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from running import ROOT, run_llmflow


@dataclass(frozen=True)
class IngestedSample:
    home: Path
    said: str
    """Everything that the commands wrote to the terminal."""


@pytest.fixture(scope="session")
def ingested_sample(tmp_path_factory) -> IngestedSample:
    """A workspace with the whole sample corpus. Tests that use it share the xdist group `sample`."""
    home = tmp_path_factory.mktemp("sample") / "home"
    done = run_llmflow(home, "ingest", str(ROOT / "data" / "sample" / "corpus"))
    assert done.returncode == 0, done.stderr[-4000:]
    return IngestedSample(home, done.stdout + done.stderr)
