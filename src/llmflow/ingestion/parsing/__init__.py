"""Files of every kind to parsed documents: `parse_file` reads one, by its content."""

from llmflow.ingestion.parsing.office import load_readers
from llmflow.ingestion.parsing.parse import parse_file
from llmflow.ingestion.parsing.settings import ParserSettings

__all__ = ["ParserSettings", "load_readers", "parse_file"]
