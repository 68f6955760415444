"""Folders of files that both systems read."""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
BASELINE = SHARED / "baseline" / "plain_rag.py"
PLAIN_PDF_NEEDS = "unstructured_inference"
QUICK_FILES = 60


def corpora(work: Path, quick: bool, names: list[str]) -> dict[str, Path]:
    """Return folders by name, made under `work`; those whose data is not there are left out."""
    makers = {"sample": _sample, "korean": _korean, "english": _english}
    made = {name: makers[name](work / name, quick) for name in names}
    return {name: folder for name, folder in made.items() if folder is not None}


def _sample(folder: Path, quick: bool) -> Path:
    """The sample corpus; without PDF files where the plain pipeline cannot read them, so that both do the same work."""
    from importlib.util import find_spec

    left_out = () if find_spec(PLAIN_PDF_NEEDS) else ("*.pdf",)
    shutil.copytree(ROOT / "data" / "sample" / "corpus", folder, ignore=shutil.ignore_patterns("access.yml", *left_out))
    return folder


def _korean(folder: Path, quick: bool) -> Path | None:
    """Korean technical pages in Markdown; `quick` takes the first sixty."""
    source = SHARED / "data" / "documents" / "react_ko"
    files = sorted(source.rglob("*.md"))
    if not files:
        return None
    for file in files[:QUICK_FILES] if quick else files:
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return folder


def _english(folder: Path, quick: bool) -> Path | None:
    """English abstracts, one a text file: every chunk is embedded by both systems."""
    source = SHARED / "data" / "retrieval" / "scifact_test" / "corpus.jsonl"
    if not source.exists():
        return None
    folder.mkdir(parents=True)
    with source.open(encoding="utf-8") as lines:
        for _, line in zip(range(200 if quick else 600), lines, strict=False):
            passage = json.loads(line)
            (folder / f"{passage['_id']}.txt").write_text(f"{passage['title']}\n\n{passage['text']}\n", encoding="utf-8")
    return folder


def size_of(folder: Path) -> tuple[int, int]:
    """Return how many files a folder holds and their bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)
