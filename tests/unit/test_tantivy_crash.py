"""A commit that was killed after its files and before its metadata can be made again."""

from llmflow.adapters.tantivy_text import TantivyTextIndex
from llmflow.ports import TextRow


def test_a_cut_off_deletion_is_repeated(tmp_path):
    index = TantivyTextIndex(tmp_path / "text")
    index.upsert([TextRow(name, "t", ("*",), f"word {name}") for name in ("a", "b", "c")])
    metadata = tmp_path / "text" / "meta.json"
    before = metadata.read_bytes()
    index.delete(["a"])
    index.close()
    metadata.write_bytes(before)  # Tantivy replaces it last: what a kill just before that leaves behind
    assert list(metadata.parent.glob("*.del"))
    again = TantivyTextIndex(tmp_path / "text")
    assert again.chunk_ids() == {"a", "b", "c"}
    again.delete(["a"])
    assert again.chunk_ids() == {"b", "c"}
