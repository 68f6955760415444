"""Everything that a workspace holds, as one value that two runs can be compared by."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.killing import fork_call, fork_run

VECTOR_TOLERANCE = 0.02
"""bfloat16 sums depend on what else stands in the batch."""


@dataclass(frozen=True)
class Snapshot:
    """Digests, ids and values of every store, and the doctor's exit status."""

    healthy: bool
    values: dict[str, Any]
    vectors: dict[str, dict[str, list[float]]]


def take_snapshot(home: Path, project: Path, env: str) -> Snapshot:
    """Return what `home` holds; ask `llmflow doctor` too."""
    doctor = fork_run(["doctor", "--env", env], home, project)
    out = home.with_suffix(".json")
    read = fork_call(lambda: _write(home, env, out), home, project)
    if read.status:
        return Snapshot(False, {"unreadable": str(home)}, {})
    found = json.loads(out.read_text())
    return Snapshot(doctor.status == 0, found["values"], found["vectors"])


def differences(expected: Snapshot, found: Snapshot) -> list[str]:
    """Return a line for each thing that differs; empty when nothing does."""
    lines = [] if found.healthy else ["doctor is not satisfied"]
    for key in sorted(expected.values.keys() | found.values.keys()):
        if expected.values.get(key) != found.values.get(key):
            lines.append(f"{key}: expected {_short(expected.values.get(key))}, found {_short(found.values.get(key))}")
    for space in sorted(expected.vectors.keys() | found.vectors.keys()):
        lines += _compare_space(space, expected.vectors.get(space, {}), found.vectors.get(space, {}))
    return lines


def _compare_space(space: str, expected: dict[str, list[float]], found: dict[str, list[float]]) -> list[str]:
    if expected.keys() != found.keys():
        missing, extra = len(expected.keys() - found.keys()), len(found.keys() - expected.keys())
        return [f"vectors of {space}: {missing} missing, {extra} left over"]
    far = [
        key
        for key, vector in expected.items()
        if max(abs(a - b) for a, b in zip(vector, found[key], strict=True)) > VECTOR_TOLERANCE
    ]
    return [f"vectors of {space}: {len(far)} have other values"] if far else []


def _write(home: Path, env: str, out: Path) -> None:
    from llmflow.ingestion.indexing import ACTIVE_SPACE, PREVIOUS_SPACE
    from llmflow.serving.catalog import open_catalog

    workspace = open_catalog(env)
    stores = workspace.stores
    raw = {
        path.relative_to(home / "raw").as_posix(): _digest(path) for path in sorted((home / "raw").rglob("*")) if path.is_file()
    }
    values = {
        "state digest": stores.state.digest(),
        "graph digest": stores.graph.digest(),
        "graph": asdict(stores.graph.statistics()),
        "documents": [[d.tenant, d.source, d.status, d.version, list(d.groups)] for d in stores.state.documents()],
        "text ids": sorted(stores.text.chunk_ids()),
        "raw files": raw,
        "removals": stores.state.removals(1000),
        "spaces": [stores.state.setting(ACTIVE_SPACE), stores.state.setting(PREVIOUS_SPACE)],
    }
    vectors = {space: _vectors(stores.vectors, space) for space in stores.vectors.spaces()}
    out.write_text(json.dumps({"values": values, "vectors": vectors}))
    workspace.close()


def _vectors(store: Any, space: str) -> dict[str, list[float]]:
    name, ids = store._collection(space), store.chunk_ids(space)
    rows = (
        store._connection.run("reading", lambda client: client.query(name, ids=sorted(ids), output_fields=["id", "vector"]))
        if ids
        else []
    )
    return {row["id"]: [round(float(x), 4) for x in row["vector"]] for row in rows}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}... ({len(text)} characters)"
