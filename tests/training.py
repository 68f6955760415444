"""Tiny data, a tiny base and short runs, shared by the tests that train."""

import functools
import tempfile
from pathlib import Path

from llmflow.finetuning.recipe import Recipe
from llmflow.finetuning.snapshot import Snapshot, write_snapshot
from llmflow.finetuning.tiny_base import TinyBaseSettings, build_tiny_base
from llmflow.finetuning.types import Example, Message, Task, ToolCall

TINY = TinyBaseSettings(vocabulary=420, steps=20)
THINGS = ("연차", "출장", "노트북", "회의실", "주차", "명함", "난방", "택배", "badge", "printer", "parcel", "desk")
TOOLS = '[{"type": "function", "function": {"name": "look_up", "description": "looks up", "parameters": {"type": "object"}}}]'
SHORT = {"preset": "cpu-smoke", "batch": 4, "accumulate": 1, "max_steps": 6, "save_every": 2, "log_every": 1, "max_length": 512}


def examples(task: Task, count: int = 30) -> list[Example]:
    """Return examples that differ; every third one calls a tool."""
    return [_example(task, place) for place in range(count)]


def _example(task: Task, place: int) -> Example:
    thing = THINGS[place % len(THINGS)]
    question = Message("user", f"{thing} {place}번은 어떻게 하나요?")
    answer = Message("assistant", f"{thing} 창구에 물어보세요.")
    name = f"tiny:{place}"
    prompt = (question,)
    tools = ""
    if place % 3 == 0:
        call = Message("assistant", "", (ToolCall("look_up", f'{{"thing": "{thing}"}}'),))
        prompt, tools = (question, call, Message("tool", '{"desk": 3}')), TOOLS
    if task is Task.DPO:
        return Example(name, task, prompt, chosen=answer, rejected=Message("assistant", "몰라요."), tools=tools)
    return Example(name, task, (*prompt, answer), desirable=place % 2 == 0 if task is Task.KTO else None, tools=tools)


def snapshot(folder: Path, task: Task) -> Snapshot:
    rows = examples(task)
    return write_snapshot(folder, task, {"train": rows[:24], "validation": rows[24:]})


def recipe(**changes: object) -> Recipe:
    return Recipe.model_validate(SHORT | changes)


@functools.cache
def tiny_base() -> Path:
    """Return the base of this process, built on the first call."""
    texts = ["\n".join(example.texts()) for example in examples(Task.SFT)]
    folder = Path(tempfile.mkdtemp(prefix="llmflow-tiny-"))
    return build_tiny_base(texts, folder / "base", TINY)
