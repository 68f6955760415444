"""Keeps unstructured off the network."""

import logging
import os
from functools import cache


@cache
def install_offline_sentences() -> None:
    """Give unstructured a sentence splitter that needs no download, switch its reporting and its guessing from words off.

    Without it the first call downloads a spaCy model, or fails where there is no network. Done once a process.
    """
    for name in ("DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "UNSTRUCTURED_DISABLE_NOTICE"):
        os.environ[name] = "true"
    import spacy
    import unstructured.nlp.tokenize as tokenize

    language = spacy.blank("xx")
    language.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", "…", "。", "！", "？", "．", "｡"]})
    tokenize._get_nlp = lambda: language
    # Prose or title by the look of the words: a guess without part-of-speech tags, not used here, half the time of a long file.
    import unstructured.partition.docx as word
    import unstructured.partition.pptx as slides

    for module in (word, slides):
        module.is_possible_narrative_text = lambda text, **_: True  # pyright: ignore[reportAttributeAccessIssue]
    logging.getLogger("unstructured").setLevel(logging.ERROR)
