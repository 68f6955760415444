"""Original files by document id, in a folder or anything else that fsspec opens (s3://, memory://)."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class RawFiles:
    """RawStore: `<root>/<first two hex digits>/<document id>`. The name of the upload is no part of the path."""

    def __init__(self, root: str):
        self._root = root
        self._opened: Any = None

    def put(self, document_id: str, tenant: str, name: str, path: Path) -> None:
        filesystem = self._filesystem()
        target = self._place(document_id)
        filesystem.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        partial = f"{target}.new"
        with path.open("rb") as source, filesystem.open(partial, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        filesystem.mv(partial, target)

    def get(self, document_id: str) -> bytes | None:
        try:
            return self._filesystem().cat_file(self._place(document_id))
        except FileNotFoundError:
            return None

    def delete(self, document_ids: Sequence[str]) -> None:
        for document_id in document_ids:
            for place in (self._place(document_id), f"{self._place(document_id)}.new"):
                with contextlib.suppress(FileNotFoundError):
                    self._filesystem().rm_file(place)

    def document_ids(self) -> set[str]:
        try:
            places = self._filesystem().find(self._path)
        except FileNotFoundError:
            return set()
        return {place.rsplit("/", 1)[-1] for place in places if not place.endswith(".new")}

    def _filesystem(self) -> Any:
        if self._opened is None:
            import fsspec

            filesystem, path = fsspec.core.url_to_fs(self._root)
            self._opened, self._path = filesystem, path.rstrip("/")
            filesystem.makedirs(self._path, exist_ok=True)
        return self._opened

    def _place(self, document_id: str) -> str:
        self._filesystem()
        return f"{self._path}/{document_id[:2]}/{document_id}"
