"""Workers parse and mask without torch, whichever of them a file asks for first."""

import subprocess
import sys

import pytest

PARSE = "from llmflow.ingestion.parsing.offline import install_offline_sentences; install_offline_sentences()"
MASK = "from llmflow.ingestion.masking_presidio import build_engine; build_engine()"


@pytest.mark.parametrize("steps", [(PARSE, MASK), (MASK, PARSE)], ids=["parse first", "mask first"])
def test_workers_load_no_model_library(steps):
    code = "; ".join(["import sys", *steps, "print([name for name in ('torch', 'transformers') if name in sys.modules])"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
