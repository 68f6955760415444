"""Table of what becomes of every file in a folder: `python -m llmflow.ingestion.parsing FOLDER [--text]`."""

import argparse
import time
from pathlib import Path

from llmflow.errors import LlmflowError
from llmflow.ingestion.parsing.parse import parse_file
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import ParsedDocument


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m llmflow.ingestion.parsing", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-ocr", action="store_true", help="leave pictures and scanned pages out")
    parser.add_argument("--text", action="store_true", help="print the elements too")
    options = parser.parse_args()
    settings = ParserSettings(ocr=not options.no_ocr)
    paths = [options.folder] if options.folder.is_file() else sorted(path for path in options.folder.rglob("*") if path.is_file())
    ready = 0
    began = time.perf_counter()
    for path in paths:
        started = time.perf_counter()
        lines: list[str] = []
        try:
            document = parse_file(path, settings)
        except LlmflowError as exc:
            state = f"failed  {exc}"
        else:
            ready += 1
            state = f"ready   {_describe(document)}" + "".join(f"  ! {warning}" for warning in document.warnings)
            for element in document.elements if options.text else ():
                lines.append(f"      {element.kind} {element.level} p{element.page}: {element.text}")
        print(f"{time.perf_counter() - started:7.2f} s  {path.name:52.52} {state}", *lines, sep="\n", flush=True)
    print(f"{ready} ready, {len(paths) - ready} failed, {time.perf_counter() - began:.1f} s")


def _describe(document: ParsedDocument) -> str:
    characters = sum(len(element.text) for element in document.elements)
    return f"{document.format:5} {len(document.elements):6} elements {characters:9} characters  '{document.title[:40]}'"


if __name__ == "__main__":
    main()
