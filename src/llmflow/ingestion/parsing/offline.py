"""Keeps unstructured off the network."""

import logging
import os
from functools import cache

from llmflow.ingestion.light_imports import without_models


@cache
def install_offline_sentences() -> None:
    """Give unstructured a sentence splitter that needs no download, switch its reporting and its guessing from words off.

    Without it the first call downloads a spaCy model, or fails where there is no network. Done once a process.
    """
    for name in ("DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "UNSTRUCTURED_DISABLE_NOTICE"):
        os.environ[name] = "true"
    with without_models():
        import spacy

        language = spacy.blank("xx")  # loads what other packages plug into spaCy: Presidio, and with it transformers
    import unstructured.nlp.tokenize as tokenize

    language.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", "…", "。", "！", "？", "．", "｡"]})
    tokenize._get_nlp = lambda: language
    # Prose or title by the look of the words: a guess without part-of-speech tags, not used here, half the time of a long file.
    import unstructured.partition.docx as word
    import unstructured.partition.pptx as slides

    for module in (word, slides):
        module.is_possible_narrative_text = lambda text, **_: True  # pyright: ignore[reportAttributeAccessIssue]
    logging.getLogger("unstructured").setLevel(logging.ERROR)
