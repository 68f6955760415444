"""What instruction files hold, described as LLaMA-Factory does in `dataset_info.json`, or found out from the first row.

A description names a local file (`file_name`, relative to the JSON), its `formatting`, `ranking`, `columns` and `tags`. Ours in
addition: the formattings `openai` and `collected`, the columns `user` and `time`, and `fill` for placeholders such as
`{{name}}`. Descriptions of remote sets and of images are refused by name.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from llmflow.config import Settings
from llmflow.errors import DatasetError

Formatting = Literal["alpaca", "sharegpt", "openai", "collected"]
INFO_FILE = "dataset_info.json"
REMOTE_KEYS = ("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name")
QUESTION_NAMES = ("q", "question", "prompt", "instruction", "질문", "문의")
ANSWER_NAMES = ("a", "answer", "response", "output", "completion", "답변", "응답", "대답")


class Columns(Settings):
    """Which column holds what; the defaults are LLaMA-Factory's."""

    prompt: str = "instruction"
    query: str = "input"
    response: str = "output"
    history: str = ""
    messages: str = "conversations"
    system: str = ""
    tools: str = ""
    chosen: str = "chosen"
    rejected: str = "rejected"
    kto_tag: str = ""
    user: str = ""
    time: str = ""


class Tags(Settings):
    """How a turn says who speaks; the defaults are ShareGPT's."""

    role_tag: str = "from"
    content_tag: str = "value"
    user_tag: str = "human"
    assistant_tag: str = "gpt"
    observation_tag: str = "observation"
    function_tag: str = "function_call"
    system_tag: str = "system"


OPENAI_TAGS = Tags(
    role_tag="role", content_tag="content", user_tag="user", assistant_tag="assistant", observation_tag="tool", function_tag=""
)


class DatasetEntry(Settings):
    """One described file."""

    name: str
    path: Path
    formatting: Formatting = "alpaca"
    ranking: bool = False
    columns: Columns = Columns()
    tags: Tags = Tags()
    num_samples: int = Field(default=0, ge=0)
    """Only the first rows; 0 for all."""
    fill: Mapping[str, str] = {}
    """What `{{key}}` in the texts becomes."""


def load_dataset_info(path: Path, names: Sequence[str] = ()) -> list[DatasetEntry]:
    """Return the entries of a dataset_info.json (or the folder that has one), or one entry for any other file.

    In the order of `names`, or of the file for none. Raises DatasetError that names entry and key.
    """
    info = path / INFO_FILE if path.is_dir() else path
    if info.name != INFO_FILE:
        return [describe_file(info)]
    described = _read_info(info)
    unknown = [name for name in names if name not in described]
    if unknown:
        raise DatasetError(f"{info}: no entry {', '.join(map(repr, unknown))}. It has: {', '.join(described)}.")
    return [_entry(info, name, described[name]) for name in names or described]


def describe_file(path: Path) -> DatasetEntry:
    """Return an entry for a file that nobody described, from its first whole row. DatasetError where that tells nothing."""
    first = _first_object(path)
    if first is None:
        raise DatasetError(f"{path}: holds no rows of named columns. Describe it in a {INFO_FILE}.")
    entry = DatasetEntry(name=path.stem, path=path)
    ranking = {"chosen", "rejected"} <= set(first)
    label = next((key for key in ("label", "kto_tag", "desirable") if isinstance(first.get(key), bool)), "")
    system = "system" if isinstance(first.get("system"), str) else ""
    tools = "tools" if "tools" in first else ""
    common = {"kto_tag": label, "system": system, "tools": tools}
    if "conversation" in first and "messages" in first:
        return entry.model_copy(update={"formatting": "collected"})
    for key in ("conversations", "messages"):
        if isinstance(first.get(key), list):
            openai = any("role" in turn for turn in first[key] if isinstance(turn, dict))
            update = {"ranking": ranking, "columns": Columns(messages=key, **common)}
            return entry.model_copy(
                update=update | ({"formatting": "openai", "tags": OPENAI_TAGS} if openai else {"formatting": "sharegpt"})
            )
    lower = {name.strip().lower(): name for name in first if isinstance(name, str)}
    prompt = next((lower[name] for name in ("instruction", *QUESTION_NAMES) if name in lower), None)
    response = next((lower[name] for name in ("output", *ANSWER_NAMES) if name in lower), None)
    if prompt is None or (response is None and not ranking):
        raise DatasetError(
            f"{path}: its columns ({', '.join(map(str, first))}) do not tell questions from answers. Describe it in a "
            f"{INFO_FILE}: "
            '{"name": {"file_name": "...", "columns": {"prompt": "...", "response": "..."}}}.'
        )
    query = lower.get("input", "") if prompt == lower.get("instruction") else ""
    columns = Columns(prompt=prompt, query=query, response=response or "", **common)
    return entry.model_copy(update={"ranking": ranking, "columns": columns})


def _read_info(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as exc:
        raise DatasetError(
            f"{path}: cannot be read as JSON ({exc}). Name a {INFO_FILE}, a folder with one, or a data file."
        ) from exc
    if not isinstance(described, dict):
        raise DatasetError(f"{path}: an object of descriptions by name is expected.")
    return described


def _entry(info: Path, name: str, value: Any) -> DatasetEntry:
    if not isinstance(value, dict):
        raise DatasetError(f"{info}: entry {name!r} must be an object.")
    remote = [key for key in REMOTE_KEYS if key in value]
    if remote or "file_name" not in value:
        raise DatasetError(
            f"{info}: entry {name!r} is not a local file ({', '.join(remote) or 'no file_name'}). Download it and name it in "
            "file_name."
        )
    keys = dict(value)
    if "images" in keys.get("columns", {}) or "videos" in keys.get("columns", {}) or "audios" in keys.get("columns", {}):
        raise DatasetError(f"{info}: entry {name!r} holds images, video or sound. Only text is trained on.")
    path = (info.parent / keys.pop("file_name")).resolve()
    if keys.get("formatting") == "openai":
        keys["tags"] = OPENAI_TAGS.model_dump() | keys.get("tags", {})
        keys["columns"] = {"messages": "messages"} | keys.get("columns", {})
    if keys.get("formatting", "alpaca") == "alpaca" and "query" not in keys.get("columns", {"query": ""}):
        keys["columns"] = keys["columns"] | {"query": ""}  # a described file has the columns that it says, and no others
    for dropped in ("subset", "split", "folder"):
        keys.pop(dropped, None)
    try:
        return DatasetEntry.model_validate({"name": name, "path": path, **keys})
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors())
        raise DatasetError(f"{info}: entry {name!r} is wrong: {wrong}.") from exc


def _first_object(path: Path) -> dict[str, Any] | None:
    from llmflow.finetuning.rows import read_raw_rows

    return next((row.value for row in read_raw_rows(path) if isinstance(row.value, dict)), None)


def entry_as_json(entry: DatasetEntry) -> str:
    """Return the entry as it would stand in a dataset_info.json, keys that are as usual left out."""
    row = entry.model_dump(mode="json", exclude_defaults=True, exclude={"name", "path"})
    return json.dumps({entry.name: {"file_name": entry.path.name, **row}}, ensure_ascii=False, indent=1)
