"""Every instruction file beside the project: read, validated, cleaned, and trained on for a few steps."""

from pathlib import Path

import pytest
import training
from running import ROOT

from llmflow.finetuning.curate import DataSettings, build_snapshot
from llmflow.finetuning.dataset_info import describe_file
from llmflow.finetuning.formats import read_dataset, task_of
from llmflow.finetuning.runs import read_history
from llmflow.finetuning.trainer import train
from llmflow.finetuning.types import Task
from llmflow.ingestion.masking import Masker, MaskingSettings

FOLDER = ROOT.parent / "shared" / "data" / "instructions"
FILES = sorted(FOLDER.glob("*")) if FOLDER.is_dir() else []
EXPECTED = {
    "fastchat_dummy_conversation.json": (Task.SFT, 500, 0),
    "ko_ChatbotData.csv": (Task.SFT, 11823, 0),
    "lf_alpaca_en_demo.json": (Task.SFT, 999, 0),
    "lf_dpo_en_demo.json": (Task.DPO, 300, 0),
    "lf_glaive_toolcall_en_demo.json": (Task.SFT, 300, 0),
    "lf_identity.json": (Task.SFT, 91, 0),
    "lf_kto_en_demo.json": (Task.KTO, 299, 1),
}
"""Task, examples, rejected rows. The rejected one holds `<|user|>`, a turn forged inside an answer."""

pytestmark = [
    pytest.mark.skipif(not FILES, reason="no shared/data/instructions beside the project"),
    pytest.mark.xdist_group("finetuning"),
]
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


@each_file
def test_every_row_is_read_or_named(path):
    entry = describe_file(path)
    result = read_dataset(entry)
    assert (task_of(entry), len(result.examples), len(result.rejected)) == EXPECTED[path.name]
    assert all(row.column and row.reason for row in result.rejected)


def test_tool_calls_are_kept():
    result = read_dataset(describe_file(FOLDER / "lf_glaive_toolcall_en_demo.json"))
    calls = [call for example in result.examples for message in example.messages for call in message.tool_calls]
    assert len(calls) == 211 and sum(bool(example.tools) for example in result.examples) > 150


@pytest.mark.slow
@each_file
def test_a_part_of_it_is_cleaned_and_trained_on(path, tmp_path):
    entry = describe_file(path)
    task = task_of(entry)
    assert task is not None
    short = [row for row in read_dataset(entry).examples if sum(map(len, row.texts())) < 700][:40]
    rows = build_rows(tmp_path, short)
    snapshot = build_snapshot(DataSettings(paths=(str(rows),), task=task), tmp_path / "snapshots", Masker(MaskingSettings()))
    recipe = training.recipe(task=task.value, max_steps=3, max_length=1024)
    trained = train(recipe, snapshot, training.tiny_base(), tmp_path / "run")
    losses = [row["loss"] for row in read_history(tmp_path / "run") if "loss" in row]
    assert len(losses) == 3 and trained.metrics["examples"] >= 10 and trained.task is task


def build_rows(folder: Path, examples) -> Path:
    """Write the examples in our own described form, so that a short run reads few rows."""
    import json

    rows = []
    for example in examples:
        turns = [message.for_template() for message in example.messages]
        row = {"messages": turns, "tools": example.tools}
        if example.task is Task.DPO:
            row |= {"chosen": example.chosen.for_template(), "rejected": example.rejected.for_template()}
        if example.task is Task.KTO:
            row["label"] = example.desirable
        rows.append(row)
    path = folder / "part.json"
    path.write_text(json.dumps(rows, ensure_ascii=False))
    return path
