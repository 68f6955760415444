"""RTF, RST, Org, EPUB and ODT through pandoc's sandbox, which reads no other file and no network."""

import subprocess

from llmflow.errors import DocumentError, MissingDependency
from llmflow.ingestion.parsing.child import run_child
from llmflow.ingestion.parsing.html import read_html
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.rtf import normalise_rtf
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.wording import said

_NO_TITLE = "-"  # pandoc names a document without a title after its input


def read_with_pandoc(data: bytes, source: str, settings: ParserSettings) -> Reading:
    """Return the elements of a document that pandoc reads; `source` is pandoc's name of the format.

    Raises DocumentError when pandoc refuses the file, MissingDependency without pandoc.
    """
    import pypandoc

    try:
        program = pypandoc.get_pandoc_path()
    except OSError as exc:
        raise MissingDependency(said("pandoc.missing")) from exc
    command = [program, "+RTS", "-M2G", "-RTS", "--sandbox", "--from", source, "--to", "html", "--standalone", "--wrap=none"]
    command += ["--mathml", "-"]
    try:
        done = run_child(command, normalise_rtf(data) if source == "rtf" else data, timeout_s=settings.converter_seconds)
    except subprocess.TimeoutExpired as exc:
        raise DocumentError(said("convert.too_slow", source=source.upper(), seconds=settings.converter_seconds)) from exc
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        raise DocumentError(said("convert.damaged", source=source.upper(), reason=reason))
    reading = read_html(done.stdout.decode("utf-8", "replace"))
    return Reading(reading.elements, title=reading.title if reading.title != _NO_TITLE else "")
