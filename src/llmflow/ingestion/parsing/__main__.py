"""Table of what becomes of every file in a folder: `python -m llmflow.ingestion.parsing FOLDER [--text]`."""

import argparse
import time
from pathlib import Path

from llmflow.errors import LlmflowError
from llmflow.ingestion.parsing.parse import parse_file
from llmflow.ingestion.parsing.settings import ParserSettings


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
            characters = sum(len(element.text) for element in document.elements)
            state = f"ready   {document.format:5} {len(document.elements):6} elements {characters:9} characters  '{document.title[:40]}'"
            state += "".join(f"  ! {warning}" for warning in document.warnings)
            lines = (
                [f"      {item.kind} {item.level} p{item.page}: {item.text}" for item in document.elements]
                if options.text
                else []
            )
        print(f"{time.perf_counter() - started:7.2f} s  {path.name:52.52} {state}", *lines, sep="\n", flush=True)
    print(f"{ready} ready, {len(paths) - ready} failed, {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
