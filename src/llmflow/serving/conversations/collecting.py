"""Conversations of the chat as training rows in a file: masked once more, and the export audited."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmflow.finetuning.collected import ConversationSource, export_conversations
from llmflow.ingestion.prepare import load_masker
from llmflow.serving.catalog import Workspace
from llmflow.serving.operating.auditing import record_command


@dataclass(frozen=True, slots=True)
class MaskedConversations:
    """The conversations of a source, of one tenant or of all; what was kept before a masker was stricter is masked here."""

    source: ConversationSource
    mask: Callable[[str], str]
    tenant: str | None = None

    def conversations(self, since: str = "") -> Iterator[Mapping[str, Any]]:
        for row in self.source.conversations(since):
            if self.tenant in (None, row["tenant"]):
                yield {**row, "messages": [self._masked(turn) for turn in row["messages"]]}

    def _masked(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        texts = {key: self.mask(turn[key]) for key in ("content", "correction") if turn.get(key)}
        return {**turn, **texts}


def export_masked(workspace: Workspace, file: Path, since: str = "", tenant: str | None = None) -> int:
    """Write conversations as `llmflow.finetuning.collected` reads them and return how many.

    They appear whole or not at all, for their owner alone.
    """
    masker = load_masker(workspace.ingestion.preparation.masking)
    source = MaskedConversations(workspace.application.conversations, lambda text: masker.mask(text).text, tenant)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        new.touch(mode=0o600)
        count = export_conversations(source, new, since)
        record_command(workspace, "conversation.export", "", {"conversations": count, "since": since, "tenant": tenant or "all"})
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return count
