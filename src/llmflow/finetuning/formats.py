"""Rows of described files to examples. A wrong row is rejected with its number, column and reason; the others go on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from llmflow.errors import DatasetError
from llmflow.finetuning.collected import read_collected
from llmflow.finetuning.dataset_info import DatasetEntry
from llmflow.finetuning.fields import Fields, Wrong
from llmflow.finetuning.rows import read_raw_rows
from llmflow.finetuning.turns import read_turns, single_turn, tools_text
from llmflow.finetuning.types import Example, Message, Task


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is not trained on. The row's text is not kept: it may hold personal data."""

    source: str
    """Name of the data set, or of the example for one that was read well and removed later."""
    row: int
    column: str
    """Empty where the row as a whole is wrong."""
    reason: str

    def __str__(self) -> str:
        column = f", column '{self.column}'" if self.column else ""
        return f"{self.source}: row {self.row}{column}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ReadResult:
    examples: tuple[Example, ...]
    rejected: tuple[Rejection, ...]

    @property
    def rows(self) -> int:
        """Rows that were looked at and gave at least one example, or a reason."""
        return len({example.id.rpartition("#")[0] or example.id for example in self.examples}) + len(self.rejected)


def read_dataset(entry: DatasetEntry, task: Task | None = None) -> ReadResult:
    """Return the examples of a described file in its order, and the rejected rows.

    `task` is what a set of collected conversations is to teach (SFT by default); any other file's follows from its description
    (`ranking`: DPO, `kto_tag`: KTO, else SFT), and DatasetError says where that is not the wanted one. Ids are `name:row`.
    """
    own = task_of(entry)
    if own is not None and task is not None and own is not task:
        raise DatasetError(
            f"{entry.name}: describes examples for {own.value}, and {task.value} is wanted. DPO needs ranking with chosen and "
            "rejected columns, KTO a kto_tag column."
        )
    examples: list[Example] = []
    rejected: list[Rejection] = []
    for raw in read_raw_rows(entry.path):
        if entry.num_samples and raw.number > entry.num_samples:
            break
        if raw.problem:
            rejected.append(Rejection(entry.name, raw.number, "", raw.problem))
            continue
        try:
            fields = Fields.of(raw.value, entry.fill)
            examples += _examples(entry, own or task or Task.SFT, fields, f"{entry.name}:{raw.number}")
        except Wrong as wrong:
            rejected.append(Rejection(entry.name, raw.number, wrong.column, wrong.reason))
    return ReadResult(tuple(examples), tuple(rejected))


def task_of(entry: DatasetEntry) -> Task | None:
    """Return what a description's examples teach; None for collected conversations, which can teach each."""
    if entry.formatting == "collected":
        return None
    if entry.ranking:
        return Task.DPO
    return Task.KTO if entry.columns.kto_tag else Task.SFT


def check_present(entries: Iterable[DatasetEntry]) -> None:
    """Raise DatasetError that names every file that is not there."""
    missing = [str(entry.path) for entry in entries if not Path(entry.path).is_file()]
    if missing:
        raise DatasetError(f"There is no file {', '.join(missing)}. file_name is relative to the description.")


def _examples(entry: DatasetEntry, task: Task, fields: Fields, identifier: str) -> list[Example]:
    if entry.formatting == "collected":
        return read_collected(fields, task, identifier)
    read = _alpaca if entry.formatting == "alpaca" else _turns
    example = read(entry, task, fields, identifier)
    columns = entry.columns
    return [
        replace(
            example,
            tools=tools_text(fields, columns.tools) if columns.tools else "",
            user=fields.text(columns.user) if columns.user else "",
            time=fields.time(columns.time) if columns.time else "",
        )
    ]


def _alpaca(entry: DatasetEntry, task: Task, fields: Fields, identifier: str) -> Example:
    columns = entry.columns
    messages = []
    if columns.system and (system := fields.text(columns.system, optional=True)):
        messages.append(Message("system", system))
    if columns.history:
        for asked, answered in fields.pairs(columns.history):
            messages += [Message("user", asked), Message("assistant", answered)]
    query = fields.text(columns.query, optional=True) if columns.query else ""
    instruction = fields.text(columns.prompt)
    messages.append(Message("user", f"{instruction}\n{query}" if query else instruction))
    if task is Task.DPO:
        chosen, rejected = (Message("assistant", fields.text(name)) for name in (columns.chosen, columns.rejected))
        return _preference(identifier, tuple(messages), chosen, rejected, columns.rejected)
    messages.append(Message("assistant", fields.text(columns.response)))
    desirable = fields.flag(columns.kto_tag) if task is Task.KTO else None
    return Example(identifier, task, tuple(messages), desirable=desirable)


def _turns(entry: DatasetEntry, task: Task, fields: Fields, identifier: str) -> Example:
    columns = entry.columns
    system = fields.text(columns.system, optional=True) if columns.system else ""
    messages = read_turns(fields, columns.messages, entry.tags, system, ends_open=task is Task.DPO)
    if task is Task.DPO:
        chosen, rejected = (single_turn(fields, name, entry.tags) for name in (columns.chosen, columns.rejected))
        return _preference(identifier, messages, chosen, rejected, columns.rejected)
    desirable = fields.flag(columns.kto_tag) if task is Task.KTO else None
    return Example(identifier, task, messages, desirable=desirable)


def _preference(identifier: str, prompt: tuple[Message, ...], chosen: Message, rejected: Message, column: str) -> Example:
    if chosen == rejected:
        raise Wrong(column, "is the chosen answer itself; there is nothing to prefer")
    return Example(identifier, Task.DPO, prompt, chosen=chosen, rejected=rejected)
