"""The small project that the crash test kills: a dozen files in three states and an environment with another embedder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample" / "corpus"
BORROWED = ("hanbit/it/incident_runbook_en.md", "hanbit/it/backup_standard_en.pdf", "hanbit/hr/remote_work.md")
DELETED = "nuri/finance/supplier_accounts.csv"
CHANGED = ("nuri/shared/safety_rules_en.txt", "nuri/hr/leave_policy.md", "hanbit/it/incident_runbook_en.md")
ADDED = ("hanbit/security/access_review_en.md", "hanbit/hr/performance_review.txt")
SMALL_BATCHES = "ingestion:\n  indexing: {batch_chunks: 8}\n"
OTHER_EMBEDDER = """embedder:
  type: llmflow.datasets.models.EmbedderDataset
  backend: sentence
  model: bundled
  max_tokens: 96
"""


@dataclass(frozen=True)
class CrashProject:
    """Folders: `project` with conf/ (environments crash and switch), the corpus as it was, edited, and changed for good."""

    project: Path
    first: Path
    edited: Path
    """Some files say something else; none came or went."""
    changed: Path
    """Edited, with two new files and without the deleted one."""


def make_project(folder: Path) -> CrashProject:
    """Write the project under `folder`; the same files every time."""
    made = CrashProject(folder / "project", folder / "first", folder / "edited", folder / "changed")
    shutil.copytree(ROOT / "conf", made.project / "conf")
    for env, catalog in (("crash", ""), ("switch", OTHER_EMBEDDER)):
        target = made.project / "conf" / env
        target.mkdir()
        (target / "parameters.yml").write_text(SMALL_BATCHES)
        (target / "catalog.yml").write_text(catalog)
    shutil.copytree(SAMPLE / "nuri", made.first / "nuri")
    shutil.copy(SAMPLE / "access.yml", made.first)
    _copy(BORROWED, made.first)
    for target in (made.edited, made.changed):
        shutil.copytree(made.first, target)
        for name in CHANGED:
            with (target / name).open("a", encoding="utf-8") as handle:
                handle.write("\n\n## Amendment\n\nFrom 2027 the Northwind Depot answers questions; 담당 부서는 물류혁신팀이다.\n")
    _copy(ADDED, made.changed)
    (made.changed / DELETED).unlink()
    return made


def _copy(names: tuple[str, ...], target: Path) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLE / name, target / name)
