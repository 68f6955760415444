"""What the parser reads and where it stops."""

from pydantic import Field

from llmflow.config import Settings


class ParserSettings(Settings):
    """Limits and choices of the parser. A file past a limit fails with a reason; nothing is cut off silently."""

    ocr: bool = True
    ocr_languages: str = Field(default="kor+eng", pattern=r"^[A-Za-z_]+(\+[A-Za-z_]+)*$")
    ocr_dpi: int = Field(default=200, ge=72, le=600)
    ocr_page_seconds: int = Field(default=120, ge=1)
    max_ocr_pages: int = Field(default=200, ge=0)
    max_bytes: int = Field(default=200 * 1024**2, ge=1)
    max_characters: int = Field(default=20_000_000, ge=1)
    max_pages: int = Field(default=2000, ge=1)
    max_records: int = Field(default=500_000, ge=1)
    max_unpacked_bytes: int = Field(default=512 * 1024**2, ge=1)
    max_archive_ratio: int = Field(default=150, ge=1)  # honest office XML stays below about 60
    max_archive_members: int = Field(default=20_000, ge=1)
    max_image_pixels: int = Field(default=120_000_000, ge=1)
    max_element_characters: int = Field(
        default=20_000, ge=100
    )  # longer pieces are split, so that one line cannot fill the memory
    max_json_depth: int = Field(default=100, ge=1)
    records_per_element: int = Field(default=1, ge=1)
    attachments: bool = True  # read the files attached to a mail as part of it
    converter_seconds: int = Field(default=120, ge=1)  # pandoc and LibreOffice
