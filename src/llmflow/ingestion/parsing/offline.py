"""Keeps unstructured off the network."""

import logging
import os
from functools import cache


@cache
def install_offline_sentences() -> None:
    """Give unstructured a sentence splitter that needs no download, and switch its reporting off.

    Without it the first call downloads a spaCy model, or fails where there is no network. Done once a process.
    """
    for name in ("DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "UNSTRUCTURED_DISABLE_NOTICE"):
        os.environ[name] = "true"
    import spacy
    import unstructured.nlp.tokenize as tokenize

    language = spacy.blank("xx")
    language.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", "…", "。", "！", "？", "．", "｡"]})
    tokenize._get_nlp = lambda: language
    logging.getLogger("unstructured").setLevel(logging.ERROR)
