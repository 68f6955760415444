"""XML to elements: repeated children of the root as records, anything else as text."""

from collections import Counter

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.records import group_records
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import Element, ElementKind
from llmflow.wording import said


def read_xml(text: str, settings: ParserSettings) -> Reading:
    """Return records for data (repeated siblings with fields) and TEXT for documents. Entities are never resolved.

    Raises DocumentError for XML that is not well formed.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    source = text.partition("?>")[2] if text.lstrip().startswith("<?xml") else text  # its encoding no longer holds
    try:
        root = etree.fromstring(source.strip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as exc:
        raise DocumentError(said("xml.malformed", reason=exc.msg)) from exc
    if _is_data(root):
        return Reading(list(group_records(("\n".join(_fields(row)) for row in root), settings)))
    elements = []
    for node in root.iter():
        if isinstance(node.tag, str) and (node is root or not _is_prose(node.getparent())):
            content = " ".join("".join(node.itertext()).split()) if _is_prose(node) else " ".join((node.text or "").split())
            if content:
                elements.append(Element(ElementKind.TEXT, content))
    return Reading(elements)


def _is_data(root: etree._Element) -> bool:
    names = Counter(child.tag for child in root)
    return len(root) > 1 and names.most_common(1)[0][1] > 1 and not any(_is_prose(node) for node in root.iter())


def _is_prose(node: etree._Element | None) -> bool:
    """Text and tags mixed: a paragraph with emphasis, not a field."""
    if node is None or not len(node):
        return False
    return bool((node.text or "").strip()) or any((child.tail or "").strip() for child in node)


def _fields(row: etree._Element) -> list[str]:
    lines: list[str] = []
    stack: list[tuple[str, etree._Element]] = [("", row)]
    while stack:
        path, node = stack.pop()
        for name, value in node.attrib.items():
            lines.append(f"{_join(path, _local(name))}: {value}")
        content = " ".join((node.text or "").split())
        if content:
            lines.append(f"{path or _local(node.tag)}: {content}")
        stack.extend((_join(path, _local(child.tag)), child) for child in reversed(node) if isinstance(child.tag, str))
    return lines


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _local(name: str | bytes) -> str:
    return etree.QName(name).localname
