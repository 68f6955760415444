"""Text in pictures, read by Tesseract."""

import io
import shutil
import subprocess
from typing import TYPE_CHECKING

from llmflow.errors import DocumentError, MissingDependency
from llmflow.ingestion.parsing.child import run_child
from llmflow.ingestion.parsing.guards import check_pages
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import Element, ElementKind
from llmflow.wording import said

if TYPE_CHECKING:
    from PIL import Image

_SMALL = 400  # shorter sides below this are enlarged: Tesseract wants letters about 30 pixels high
INSTALL = "Install the packages tesseract-ocr and tesseract-ocr-kor (other languages: tesseract-ocr-XXX)."


def read_image(data: bytes, settings: ParserSettings) -> Reading:
    """Return the text of each frame of a picture as IMAGE elements, `page` the frame's number.

    Raises DocumentError for damaged or huge pictures and where OCR is switched off; MissingDependency without Tesseract.
    """
    if not settings.ocr:
        raise DocumentError(said("picture.ocr_off"))
    from PIL import Image, ImageOps, ImageSequence

    _register_heic()
    elements: list[Element] = []
    count = 0
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > settings.max_image_pixels:
                raise DocumentError(
                    said("picture.too_large", width=picture.width, height=picture.height, most=f"{settings.max_image_pixels:,}")
                )
            for frame in ImageSequence.Iterator(picture):
                count += 1
                check_pages(count, settings)
                if picture.format in ("GIF", "WEBP") and count > 1:
                    break
                upright = ImageOps.exif_transpose(_on_white(frame))
                elements.extend(Element(ElementKind.IMAGE, text, page=count) for text in recognise(upright, settings))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as exc:
        raise DocumentError(said("picture.damaged", reason=exc)) from exc
    if not elements:
        raise DocumentError(said("picture.no_text"))
    return Reading(elements, pages=count)


def recognise(picture: "Image.Image", settings: ParserSettings, dpi: int | None = None) -> list[str]:
    """Return the paragraphs that Tesseract reads, top to bottom; it guesses the resolution unless `dpi` is known.

    Raises MissingDependency without Tesseract or its languages, DocumentError when it fails or takes too long.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise MissingDependency(said("ocr.missing", install=INSTALL))
    if min(picture.size) < _SMALL and max(picture.size) < 4 * _SMALL:
        factor = min(2.0, 4 * _SMALL / max(picture.size))
        picture = picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
    buffer = io.BytesIO()
    picture.convert("L").save(buffer, "PNG", compress_level=1)
    command = [program, "stdin", "stdout", "-l", settings.ocr_languages, "--psm", "3"]
    command += ["--dpi", str(dpi)] if dpi else []
    try:
        done = run_child(command, buffer.getvalue(), timeout_s=settings.ocr_page_seconds)
    except subprocess.TimeoutExpired as exc:
        raise DocumentError(said("ocr.too_slow", seconds=settings.ocr_page_seconds)) from exc
    if done.returncode != 0:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        if "loading language" in reason or "load any languages" in reason or "traineddata" in reason:
            raise MissingDependency(said("ocr.languages", languages=settings.ocr_languages, install=INSTALL))
        raise DocumentError(said("ocr.failed", reason=reason))
    text = done.stdout.decode("utf-8", "replace").replace("\x0c", "\n")
    paragraphs = ["\n".join(line.strip() for line in block.splitlines() if line.strip()) for block in text.split("\n\n")]
    return [paragraph for paragraph in paragraphs if sum(character.isalnum() for character in paragraph) > 1]


def _on_white(picture: "Image.Image") -> "Image.Image":
    """Transparent pictures mostly hold dark letters, which a black ground would swallow."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    from PIL import Image

    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _register_heic() -> None:
    try:
        import pi_heif
    except ImportError:
        return
    pi_heif.register_heif_opener()
