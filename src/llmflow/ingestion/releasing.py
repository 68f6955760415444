"""Which wanted files are taken as they stand, because an administrator has released just this content of them."""

from collections.abc import Sequence
from dataclasses import replace

from llmflow.ingestion.prepare import PreparationSettings, with_version
from llmflow.ports import SourceFile, StateStore


def as_released(files: Sequence[SourceFile], state: StateStore, settings: PreparationSettings) -> list[SourceFile]:
    """Return the files in their order, those with a released content marked and versioned as such.

    A file that has changed since its release is left as it is: it is judged anew.
    """
    released = state.released([file.document_id for file in files])
    return [
        with_version(replace(file, released=True), settings) if released.get(file.document_id) == file.content_hash else file
        for file in files
    ]
