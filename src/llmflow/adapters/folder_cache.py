"""Short texts by key in a folder: one file each, written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


class FolderCache:
    """KeyValueCache over a folder, made at the first `put`. Keys are hexadecimal; what cannot be read counts as unknown."""

    def __init__(self, folder: Path | str):
        self._folder = Path(folder)

    def get(self, key: str) -> str | None:
        try:
            return self._file(key).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def put(self, key: str, value: str) -> None:
        """Keep the value; a full or read-only disk loses it and nothing else."""
        file = self._file(key)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as half:
                half.write(value)
            os.replace(name, file)

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / key
