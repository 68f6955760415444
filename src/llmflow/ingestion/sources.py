"""Files on disk to what the corpus wants."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from unicodedata import normalize

from llmflow.config import Settings
from llmflow.errors import SettingsError
from llmflow.ingestion.access import FILE_NAME, AccessRules, Grant, load_access, matches
from llmflow.ingestion.prepare import PreparationSettings, with_version
from llmflow.ports import SourceFile

HIDDEN = (".", "~$")


class SourceSettings(Settings):
    """Where documents come from and who may read them where no access.yml says otherwise."""

    paths: tuple[str, ...]
    include: tuple[str, ...] = ("**",)
    """Globs relative to a folder of `paths`; a file that matches none is left out. `**` crosses folders."""
    access: Grant = Grant()


def find_files(settings: SourceSettings, preparation: PreparationSettings) -> list[SourceFile]:
    """Return every file under the paths by path, hidden and temporary ones left out.

    A source is named by its path relative to the ingested folder, a single file by its name, so the same folder ingested from
    elsewhere meets its documents again. Raises SettingsError when a path is missing, access.yml is wrong or two files would
    get one name.
    """
    found: dict[str, SourceFile] = {}
    for text in settings.paths:
        root = Path(text).expanduser()
        if not root.exists():
            raise SettingsError(f"There is nothing at {text}. Give a file or a folder that exists.")
        folder = root if root.is_dir() else root.parent
        rules = _rules_above(folder, settings.access)
        for path in sorted(_walk(root, settings.include)) if root.is_dir() else [root]:
            file = _source_file(path, folder, rules)
            known = found.setdefault(file.document_id, with_version(file, preparation))
            if os.path.realpath(known.path) != os.path.realpath(path):
                raise SettingsError(
                    f"{known.path} and {path} would both be {file.source} of tenant {file.tenant}. "
                    "Ingest the folder above both instead, or rename one of them."
                )
    return list(found.values())


def document_id(tenant: str, source: str) -> str:
    """Return the stable id of a source inside a tenant."""
    return hashlib.sha256(f"{tenant}\0{source}".encode()).hexdigest()[:16]


def _rules_above(folder: Path, default: Grant) -> tuple[Path, AccessRules]:
    """Return the nearest access.yml at or above `folder` with its folder: part of a corpus keeps the rules of the whole."""
    for candidate in (folder.resolve(), *folder.resolve().parents):
        if (candidate / FILE_NAME).exists():
            return candidate, load_access(candidate, default)
    return folder.resolve(), AccessRules(default=default)


def _walk(root: Path, include: Sequence[str]) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(HIDDEN))
        for name in files:
            path = Path(folder) / name
            wanted = any(matches(pattern, path.relative_to(root).as_posix()) for pattern in include)
            if wanted and not name.startswith(HIDDEN) and name != FILE_NAME:
                yield path


def _source_file(path: Path, folder: Path, rules: tuple[Path, AccessRules]) -> SourceFile:
    rules_folder, access = rules
    grant = access.grant(
        path.resolve().relative_to(rules_folder).as_posix() if path.resolve().is_relative_to(rules_folder) else ""
    )
    # macOS decomposes Hangul in file names: the same folder copied from there must give the same documents
    source = normalize("NFC", path.relative_to(folder).as_posix().encode("utf-8", "replace").decode())
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
                size += len(block)
    except OSError as exc:  # registered all the same, so that the worker fails it with a reason
        digest.update(str(exc).encode())
    return SourceFile(
        document_id=document_id(grant.tenant, source),
        tenant=grant.tenant,
        groups=tuple(sorted(set(grant.groups))),
        source=source,
        path=str(path),
        content_hash=digest.hexdigest(),
        size=size,
        version="",
        fingerprint="",
    )
