"""Turns of a conversation: who speaks, in a possible order, tool calls kept as calls."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from llmflow.finetuning.dataset_info import Tags
from llmflow.finetuning.fields import Fields, Wrong
from llmflow.finetuning.types import Message, ToolCall


def read_turns(fields: Fields, column: str, tags: Tags, system: str = "", ends_open: bool = False) -> tuple[Message, ...]:
    """Return the turns of a column, a system turn first where there is one.

    The first of the others is the user's, the assistant answers each user or tool turn, and the last is the assistant's, or with
    `ends_open` one that waits for an answer. Raises Wrong that names turn and role.
    """
    messages = [_turn(fields, item, f"{column}[{place}]", tags) for place, item in enumerate(fields.items(column))]
    if system and messages[0].role != "system":
        messages.insert(0, Message("system", system))
    check_order(messages, column, ends_open)
    return tuple(messages)


def single_turn(fields: Fields, column: str, tags: Tags) -> Message:
    """Return the one assistant turn of a column: an object, a list with one, or plain text."""
    value = fields.get(column)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return Message("assistant", fields.checked(value, column))
    message = _turn(fields, value, column, tags)
    if message.role != "assistant":
        raise Wrong(column, f"must be an assistant's turn, not one of '{message.role}'")
    return message


def check_order(messages: Sequence[Message], column: str, ends_open: bool) -> None:
    turns = [message for message in messages if message.role != "system"]
    if not turns:
        raise Wrong(column, "holds no turn but the system's")
    if len(messages) - len(turns) > (messages[0].role == "system"):
        raise Wrong(column, "has a system turn that is not the first")
    if turns[0].role != "user":
        raise Wrong(column, f"begins with '{turns[0].role}'; the user speaks first")
    for place, (before, after) in enumerate(pairwise(turns), start=1):
        if after.role == "tool" and not (before.tool_calls or before.role == "tool"):
            raise Wrong(f"{column}[{place}]", "a tool answers where no tool was called")
        if before.role == after.role and after.role != "tool":
            raise Wrong(f"{column}[{place}]", f"'{after.role}' speaks twice in a row")
        if before.tool_calls and after.role != "tool":
            raise Wrong(f"{column}[{place}]", "a tool was called and does not answer")
    open_end = turns[-1].role in ("user", "tool")
    if ends_open and not open_end:
        raise Wrong(column, "ends with the assistant; the answers to compare stand in their own columns")
    if not ends_open and open_end:
        raise Wrong(column, f"ends with '{turns[-1].role}'; the last turn is what is learned, and must be the assistant's")


def tools_text(fields: Fields, column: str) -> str:
    """Return the offered tools as JSON text in the form that chat templates expect; empty for none."""
    value = fields.values.get(column)
    if value in (None, "", [], "[]"):
        return ""
    tools = fields.items(column)
    if not all(isinstance(tool, dict) for tool in tools):
        raise Wrong(column, "must be a list of tools, each an object with a name")
    wrapped = [tool if "function" in tool else {"type": "function", "function": tool} for tool in tools]
    if not all(isinstance(tool["function"], dict) and isinstance(tool["function"].get("name"), str) for tool in wrapped):
        raise Wrong(column, "has a tool without a name")
    return json.dumps(wrapped, ensure_ascii=False)


def _turn(fields: Fields, item: Any, where: str, tags: Tags) -> Message:
    if not isinstance(item, dict):
        raise Wrong(where, f"must be an object with '{tags.role_tag}' and '{tags.content_tag}'")
    role, content = item.get(tags.role_tag), item.get(tags.content_tag)
    if role == tags.function_tag and role:
        return Message("assistant", "", _calls(content, f"{where}.{tags.content_tag}"))
    roles = {
        tags.user_tag: "user",
        tags.assistant_tag: "assistant",
        tags.observation_tag: "tool",
        tags.system_tag: "system",
    }
    if role not in roles:
        allowed = ", ".join(name for name in (*roles, tags.function_tag) if name)
        raise Wrong(f"{where}.{tags.role_tag}", f"is {str(role)[:30]!r}; allowed are {allowed}")
    if item.get("tool_calls"):
        calls = _calls([call.get("function", call) for call in item["tool_calls"]], f"{where}.tool_calls")
        return Message("assistant", fields.checked(content, f"{where}.{tags.content_tag}") if content else "", calls)
    return Message(roles[role], fields.checked(content, f"{where}.{tags.content_tag}"))  # type: ignore[arg-type]


def _calls(value: Any, where: str) -> tuple[ToolCall, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as exc:
            raise Wrong(where, f"must be JSON of a call with name and arguments ({exc.msg} at column {exc.colno})") from exc
    calls = value if isinstance(value, list) else [value]
    return tuple(_call(call, where) for call in calls)


def _call(call: Any, where: str) -> ToolCall:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise Wrong(where, "must be a call with name and arguments")
    arguments = call.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except json.JSONDecodeError as exc:
            raise Wrong(where, f"has arguments that are no JSON ({exc.msg} at column {exc.colno})") from exc
    if not isinstance(arguments, dict):
        raise Wrong(where, "has arguments that are no object")
    return ToolCall(call["name"], json.dumps(arguments, ensure_ascii=False))
