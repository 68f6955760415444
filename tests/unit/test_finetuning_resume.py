"""A training process that is killed goes on from its checkpoint, as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import training
from running import ROOT

from llmflow.finetuning.runs import read_history
from llmflow.finetuning.trainer import train
from llmflow.finetuning.types import Task

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("finetuning")]
KILL_AT = 7
RECIPE = {"max_steps": 10, "save_every": 3, "evaluate_every": 5, "lora": {"rank": 8, "dropout": 0.1}}
CHILD = """
import json, sys, threading
from pathlib import Path
import training
from llmflow.finetuning.snapshot import open_snapshot
from llmflow.finetuning.trainer import train

data, base, run, changes, kill_at = sys.argv[1:]

def stop(step, values):
    if step == int(kill_at):
        print("reached", flush=True)
        threading.Event().wait()  # until killed

train(training.recipe(**json.loads(changes)), open_snapshot(Path(data)), base, Path(run), listener=stop)
"""


def test_a_killed_run_goes_on_with_the_same_losses(tmp_path):
    base, data = training.tiny_base(), training.snapshot(tmp_path / "data", Task.SFT)
    arguments = [str(data.directory), str(base), str(tmp_path / "killed"), json.dumps(RECIPE), str(KILL_AT)]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    variables = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], env=variables, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    undisturbed = train(training.recipe(**RECIPE), data, base, tmp_path / "undisturbed")
    assert child.stdout.readline() == "reached\n"
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()

    checkpoints = tmp_path / "killed" / "checkpoints"
    assert not (tmp_path / "killed" / "trained.json").exists()
    assert (checkpoints / "checkpoint-6").is_dir()
    (checkpoints / "checkpoint-9").mkdir()  # as a kill in the midst of saving leaves it
    (checkpoints / "checkpoint-9" / "adapter_model.safetensors").write_bytes(b"half")

    steps: list[int] = []
    resumed = train(training.recipe(**RECIPE), data, base, tmp_path / "killed", listener=lambda step, values: steps.append(step))
    assert min(steps) == KILL_AT, "it began again instead of going on"
    assert curve(tmp_path / "killed") == curve(tmp_path / "undisturbed")
    assert resumed.digest == undisturbed.digest


def curve(run: Path) -> list[tuple]:
    """Return every logged step with what does not depend on time."""
    keys = ("step", "loss", "learning_rate", "grad_norm", "eval_loss")
    return [tuple(row.get(key) for key in keys) for row in read_history(run) if "loss" in row or "eval_loss" in row]
