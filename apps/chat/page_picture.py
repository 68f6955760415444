"""Draw one page of a PDF, with a quote highlighted: a program of its own, since the file is not to be trusted.

    python -m apps.chat.page_picture FILE PAGE WIDTH < quote > page.png

The quote comes as text on standard input, the PNG goes to standard output. Ends with 2 where there is no such page.
"""

import re
import resource
import sys
from io import BytesIO
from typing import Any

CPU_SECONDS = 15
MEMORY_BYTES = 1 << 30
MAX_PIXELS = 4_000_000
_MARK = (255, 214, 64, 110)
Rect = tuple[float, float, float, float]


def draw(path: str, page_number: int, width: int, quote: str) -> bytes | None:
    """Return page `page_number` (from 1) as PNG, at most `width` pixels wide; None where the document has no such page."""
    import pypdfium2
    from PIL import Image, ImageDraw

    document = pypdfium2.PdfDocument(path)
    if not 1 <= page_number <= len(document):
        return None
    page = document[page_number - 1]
    wide, high = page.get_size()
    scale = min(width / wide, (MAX_PIXELS / (wide * high)) ** 0.5)
    picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGBA")
    marks = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(marks)
    for left, bottom, right, top in quoted_rects(page, quote):
        pen.rectangle((left * scale - 1, (high - top) * scale - 1, right * scale + 1, (high - bottom) * scale + 1), fill=_MARK)
    out = BytesIO()
    Image.alpha_composite(picture, marks).convert("RGB").save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def quoted_rects(page: Any, quote: str) -> list[Rect]:
    """Return where a quote stands on a page, in points from the lower left corner, one a line; none where it is not found.

    Letters alone are compared: a reader has joined lines, and what was masked in the quote ends the match before it.
    """
    text = page.get_textpage()
    everything = text.get_text_range()
    places = [index for index, char in enumerate(everything) if not char.isspace()]
    letters = "".join(everything[index] for index in places)
    for part in _parts(quote):
        wanted = re.sub(r"\s+", "", part)
        at = letters.find(wanted)
        if at >= 0:
            first, last = places[at], places[at + len(wanted) - 1]
            count = text.count_rects(first, last - first + 1)
            return [text.get_rect(index) for index in range(count)]
    return []


def _parts(quote: str) -> list[str]:
    """Return the quote, then its longest stretches between masks and table bars."""
    pieces = [piece.strip() for piece in re.split(r"\[[A-Z_]+\]|\||\n", quote)]
    return [quote, *sorted((piece for piece in pieces if len(piece) >= 6), key=len, reverse=True)]


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    path, page, width = sys.argv[1:4]
    picture = draw(path, int(page), int(width), sys.stdin.buffer.read().decode("utf-8", "replace"))
    if picture is None:
        return 2
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
