"""Build the sample corpus from data/sample/sources.

    python data/sample/build.py            write corpus/ and pii_expected.json
    python data/sample/build.py --check    build in memory and compare with what is committed; exit status 1 on a difference

The content of every file depends on the sources only. `--check` compares what a reader sees (archive members, page texts),
because fonts and compression libraries of another machine may give other bytes.
"""

import argparse
import io
import json
import shutil
import sys
import zipfile
from collections import Counter
from pathlib import Path

from office_writer import write_docx, write_pptx, write_xlsx
from pdf_writer import write_pdf, write_scan
from sources_model import PII_KINDS, Source, read_sources
from text_writer import write_csv, write_eml, write_html, write_json, write_plain

HERE = Path(__file__).resolve().parent
WRITERS = {
    "pdf": write_pdf,
    "scan": write_scan,
    "docx": write_docx,
    "pptx": write_pptx,
    "xlsx": write_xlsx,
    "html": write_html,
    "md": write_plain,
    "txt": write_plain,
    "csv": write_csv,
    "json": write_json,
    "eml": write_eml,
}


def build_all(sources: list[Source]) -> dict[str, bytes]:
    """Return the content of every generated file by its path below data/sample."""
    files = {f"corpus/{source.name}": WRITERS[source.format](source) for source in sources}
    files["corpus/access.yml"] = (HERE / "sources" / "access.yml").read_bytes()
    files["pii_expected.json"] = describe_pii(sources)
    return files


def describe_pii(sources: list[Source]) -> bytes:
    """Return JSON: under `files` the count of each kind, under `secrets` every literal, under `keep` what masking must leave."""
    files = {}
    for source in sources:
        counts = Counter(kind for kind, _ in source.pii)
        if counts:
            files[source.name] = {kind: counts[kind] for kind in PII_KINDS if counts[kind]}
    secrets = sorted({value for source in sources for value in (*(value for _, value in source.pii), *mail_addresses(source))})
    keep = {source.name: sorted(set(source.keep)) for source in sources if source.keep}
    return (json.dumps({"files": files, "secrets": secrets, "keep": keep}, ensure_ascii=False, indent=2) + "\n").encode()


def mail_addresses(source: Source) -> list[str]:
    """Return the addresses of a mail's header: secret too, but not counted, because a parser may leave the header out."""
    people = [source.meta["from"], *source.meta["to"]] if source.format == "eml" else []
    return [person["address"] for person in people]


def visible(name: str, data: bytes) -> object:
    """Return what a reader of the file sees, for comparing builds of different machines."""
    if name.endswith((".docx", ".pptx", ".xlsx")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {member: archive.read(member) for member in archive.namelist()}
    if name.endswith(".pdf"):
        import pypdfium2

        document = pypdfium2.PdfDocument(data)
        return [(page.get_size(), page.get_textpage().get_text_bounded()) for page in document]
    return data


def differences(built: dict[str, bytes]) -> list[str]:
    """Return one sentence for each file that is missing, left over or different, sorted."""
    corpus = HERE / "corpus"
    present = {f"corpus/{path.relative_to(corpus).as_posix()}" for path in corpus.rglob("*") if path.is_file()}
    found = [f"{name} is committed but no source makes it." for name in present - built.keys()]
    for name, data in built.items():
        path = HERE / name
        if not path.exists():
            found.append(f"{name} is missing.")
        elif visible(name, path.read_bytes()) != visible(name, data):
            found.append(f"{name} differs from its source.")
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the sample corpus.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files and write nothing")
    check = parser.parse_args().check
    built = build_all(read_sources(HERE / "sources"))
    if check:
        found = differences(built)
        print("\n".join(found) or f"{len(built)} files are as their sources say.")
        if found:
            print("Run `python data/sample/build.py` and commit the result.")
        return bool(found)
    shutil.rmtree(HERE / "corpus", ignore_errors=True)
    for name, data in built.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(built)} files, {sum(map(len, built.values())) / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
