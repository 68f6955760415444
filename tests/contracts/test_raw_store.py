"""The contract of `RawStore`, on a folder and on another file system of fsspec."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from llmflow.adapters.raw_files import RawFiles
from llmflow.ports import RawStore

Fresh = Callable[[], RawStore]


class RawStoreContract:
    """What every RawStore must do. Subclasses give `fresh`: a function that opens the same store again."""

    @pytest.fixture
    def fresh(self) -> Fresh:
        raise NotImplementedError

    @pytest.fixture
    def store(self, fresh: Fresh) -> RawStore:
        return fresh()

    @pytest.fixture
    def file(self, tmp_path: Path) -> Callable[[bytes], Path]:
        def write(content: bytes) -> Path:
            path = tmp_path / "upload.bin"
            path.write_bytes(content)
            return path

        return write

    def test_empty_store_answers(self, store: RawStore):
        assert store.document_ids() == set()
        assert store.get("unknown") is None
        store.delete([])
        store.delete(["unknown"])

    def test_original_comes_back_byte_for_byte(self, store: RawStore, fresh: Fresh, file: Callable[[bytes], Path]):
        content = bytes(range(256)) * 10_000
        store.put("abc", "acme", "a.bin", file(content))
        store.put("abd", "acme", "empty", file(b""))
        assert fresh().get("abc") == content
        assert fresh().get("abd") == b""
        assert fresh().document_ids() == {"abc", "abd"}

    def test_newest_replaces_the_older(self, store: RawStore, file: Callable[[bytes], Path]):
        store.put("abc", "acme", "a", file(b"a longer first version"))
        store.put("abc", "acme", "another name", file(b"second"))
        assert store.get("abc") == b"second"
        assert store.document_ids() == {"abc"}

    def test_deleted_originals_are_gone(self, store: RawStore, file: Callable[[bytes], Path]):
        for name in ("abc", "abd", "x"):
            store.put(name, "acme", "a", file(b"content"))
        store.delete(["abc", "unknown", "abc", "x"])
        assert store.get("abc") is None
        assert store.document_ids() == {"abd"}

    @pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "이름.pdf", "a" * 5000, "", "."])
    def test_name_of_the_upload_is_no_path(self, store: RawStore, file: Callable[[bytes], Path], name: str):
        store.put("abc", "../acme", name, file(b"content"))
        assert store.get("abc") == b"content"
        assert store.document_ids() == {"abc"}

    def test_interrupted_copy_leaves_the_older(
        self, store: RawStore, file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
    ):
        store.put("abc", "acme", "a", file(b"first"))

        def stop(source, sink, _size):
            sink.write(source.read()[:3])
            raise KeyboardInterrupt

        monkeypatch.setattr("shutil.copyfileobj", stop)
        with pytest.raises(KeyboardInterrupt):
            store.put("abc", "acme", "a", file(b"second"))
        with pytest.raises(KeyboardInterrupt):
            store.put("new", "acme", "a", file(b"second"))
        assert store.get("abc") == b"first"
        assert store.get("new") is None
        assert store.document_ids() == {"abc"}
        monkeypatch.undo()
        store.put("abc", "acme", "a", file(b"third"))
        assert store.get("abc") == b"third"
        store.delete(["abc", "new"])
        assert store.document_ids() == set()


class TestFolder(RawStoreContract):
    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Fresh:
        return lambda: RawFiles(str(tmp_path / "deep" / "raw"))

    def test_nothing_is_left_of_a_deleted_original(self, store: RawStore, file: Callable[[bytes], Path], tmp_path: Path):
        store.put("abc", "acme", "a", file(b"content"))
        store.delete(["abc"])
        assert [path for path in (tmp_path / "deep" / "raw").rglob("*") if path.is_file()] == []


class TestMemory(RawStoreContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        root = f"memory://{uuid.uuid4().hex}/raw"
        return lambda: RawFiles(root)
