"""Values of the fine-tuning loop: what is trained on, and what comes out.

A folder of a run: `adapter/` (or `model/` after full fine-tuning), `checkpoints/`, `history.jsonl`, `trained.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from llmflow.errors import DatasetError

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
TRAINED_FILE = "trained.json"


class Task(StrEnum):
    """What a set of examples can teach, and so which trainer reads it."""

    SFT = "sft"
    DPO = "dpo"
    KTO = "kto"


class Method(StrEnum):
    """Which weights move."""

    LORA = "lora"
    QLORA = "qlora"
    DORA = "dora"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: str
    """The arguments as JSON text of an object."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. Only an assistant calls tools; a `tool` message is what a tool answered."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()

    def for_template(self) -> dict[str, Any]:
        """Return the message as chat templates expect it, arguments as objects."""
        message: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            message["tool_calls"] = [
                {"type": "function", "function": {"name": call.name, "arguments": json.loads(call.arguments)}}
                for call in self.tool_calls
            ]
        return message


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn from.

    SFT: `messages` ends with an assistant's turn. KTO: the same, and `desirable` says whether that turn is wanted.
    DPO: `messages` is the prompt alone and ends with a user's or a tool's turn; `chosen` and `rejected` answer it.
    """

    id: str
    """Stable: source and row, such as `chatbot.csv:17`."""
    task: Task
    messages: tuple[Message, ...]
    chosen: Message | None = None
    rejected: Message | None = None
    desirable: bool | None = None
    tools: str = ""
    """JSON text of the list of tools that the assistant was offered; empty for none."""
    user: str = ""
    """Who said it, where it was collected; empty for data sets. Never a name: an opaque id."""
    time: str = ""
    """ISO 8601, UTC; empty where unknown."""

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The turns before the last answer."""
        return self.messages if self.task is Task.DPO else self.messages[:-1]

    @property
    def answer(self) -> Message:
        """The answer to be learned; for DPO the chosen one."""
        return self.chosen if self.chosen is not None else self.messages[-1]

    @property
    def question(self) -> str:
        """Text of the last turn before the answer; empty where there is none."""
        return self.prompt[-1].content if self.prompt else ""

    def texts(self) -> list[str]:
        """Return every text a person or a model wrote, in order."""
        extra = [message for message in (self.chosen, self.rejected) if message is not None]
        return [message.content for message in (*self.messages, *extra)]

    def to_row(self) -> dict[str, Any]:
        """Return plain values for one line of JSON; empty fields are left out."""
        row = asdict(self)
        return {key: value for key, value in row.items() if value not in ("", None)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Example":
        """Return what `to_row` wrote."""
        fields = dict(row)
        fields["task"] = Task(fields["task"])
        fields["messages"] = tuple(_message(value) for value in fields["messages"])
        for name in ("chosen", "rejected"):
            if fields.get(name) is not None:
                fields[name] = _message(fields[name])
        return cls(**fields)


def _message(row: Mapping[str, Any]) -> Message:
    calls = tuple(ToolCall(**call) for call in row.get("tool_calls", ()))
    return Message(row["role"], row["content"], calls)


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """What a training run made. Written beside the weights as `trained.json`; paths inside are absolute."""

    directory: Path
    """The adapter (adapter_config.json, adapter_model.safetensors, tokenizer), or whole weights for `Method.FULL`."""
    base_model: str
    """Directory or hub name that the adapter belongs to."""
    task: Task
    method: Method
    digest: str
    """SHA-256 over the weight files and the adapter's configuration: the adapter's identity."""
    rank: int
    """LoRA rank; 0 for full fine-tuning."""
    target_modules: tuple[str, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Last of each: train_loss, eval_loss, steps, tokens_per_second, ..."""
    base_identity: str = ""
    """12 hex digits that tell the base from another of the same name."""
    snapshot: str = ""
    """Hash of the data snapshot."""
    recipe: str = ""
    """Fingerprint of the recipe."""
    git_commit: str = ""
    """With `+dirty` where files differed from it; empty outside a repository."""
    smoke: bool = False
    """The base is the tiny model: it proves the path and knows nothing."""
    servable: bool = True
    """vLLM can load it as an adapter; False: merge it at export."""

    def save(self, path: Path) -> None:
        """Write `trained.json` at `path` (a file)."""
        row = asdict(self) | {"directory": str(self.directory), "metrics": dict(self.metrics)}
        path.write_text(json.dumps(row, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, run_dir: Path) -> "TrainedAdapter":
        """Return what was written in the folder of a run. Raises DatasetError where it is missing or malformed."""
        path = run_dir / TRAINED_FILE
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
            row |= {"directory": Path(row["directory"]), "task": Task(row["task"]), "method": Method(row["method"])}
            row["target_modules"] = tuple(row["target_modules"])
            return cls(**row)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise DatasetError(f"{path}: no finished training run ({exc}). Train again, or name the folder of a run.") from exc
