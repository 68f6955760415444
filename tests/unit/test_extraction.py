"""Entities by a language model: what of an answer is believed, what is remembered, and what happens when it is away."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_servers import MODEL, ModelServerAddress, serve_models

from llmflow.adapters.folder_cache import FolderCache
from llmflow.datasets.models import ExtractorDataset
from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.ingestion.enriching import GIVE_UP_AFTER, Enricher, open_enricher, with_extractions
from llmflow.ingestion.extraction import ExtractionSettings, find_span, read_answer
from llmflow.ingestion.indexing import IndexingSettings, index_staged
from llmflow.ingestion.passages import PassageText, stage_passages
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.ingestion.preparing import PrepareReport, WorkerSettings, prepare_documents
from llmflow.ingestion.sources import SourceSettings, find_files
from llmflow.ports import PreparedChunk, PreparedDocument, Stores
from llmflow.ports.extraction import ExtractedEntity, ExtractedRelation, Extraction
from llmflow.serving.evaluation.benchmarks import embedded_stores
from llmflow.types import Chunk, ElementKind, Mention, Principal, Relation

TYPES = ExtractionSettings().relation_types
TEXT = "the gateway of  Bergen\nOffice is run by kari moe. Write to [EMAIL] of Bergen Office."
ON = PreparationSettings(extraction=ExtractionSettings(enabled=True, model=MODEL))
FILES = {
    "gateway.md": "# VPN\n\nthe old gateway is run by the night crew. Mail kim@acme.com about it.\n",
    "leave.md": "# Leave\n\nthe leave desk belongs to the day crew.\n",
    "vacant.md": "# Nothing\n\nthere is nothing to see in this one.\n",
}


def answer(entities: list[Any], relations: list[Any] | None = None) -> str:
    named = [{"name": name, "confidence": share} for name, share in entities]
    keys = ("source", "target", "type", "evidence", "confidence")
    linked = [dict(zip(keys, relation, strict=True)) for relation in relations or ()]
    return json.dumps({"entities": named, "relations": linked})


def crews(body: dict[str, Any]) -> str:
    """A model that knows crews and what they run."""
    passage = body["messages"][-1]["content"].split("Passage:\n")[1]
    names = re.findall(r"(?:night|day) crew|old gateway|leave desk", passage)
    links = [("old gateway", "night crew", "manages", "is run by", 0.9)] if "run by" in passage else []
    return answer([(name, 0.9) for name in names], links)


@pytest.fixture
def server() -> Iterator[ModelServerAddress]:
    with serve_models(lambda texts: [], lambda question, passages: [], crews) as server:
        yield server


@pytest.fixture
def stores(tmp_path: Path, server: ModelServerAddress) -> Iterator[Stores]:
    extractor = ExtractorDataset(
        backend="openai",
        prompt="conf/base/prompts/extract_entities.txt",
        cache=str(tmp_path / "cache"),
        parallel=2,
        retries=0,
        credentials={"base_url": f"{server.url}/v1", "model": MODEL},
    ).load()
    stores = embedded_stores(tmp_path, _NoEmbedder(), extractor=extractor)
    yield stores
    stores.close()


class _NoEmbedder:
    name, dimension, languages = "none", 4, frozenset()

    def embed_passages(self, texts):
        raise AssertionError("asked for a language that it does not read")

    embed_queries = embed_passages


def ingest(stores: Stores, folder: Path, settings: PreparationSettings = ON) -> PrepareReport:
    for name, text in FILES.items():
        (folder / "corpus").mkdir(exist_ok=True)
        (folder / "corpus" / name).write_text(text)
    files = find_files(SourceSettings(paths=(str(folder / "corpus"),)), settings)
    plan = stores.state.register(files)
    return prepare_documents(files, plan, stores, settings, WorkerSettings(processes=1), lambda *_: None)


def mentions(stores: Stores) -> dict[str, set[str]]:
    """Return the keys of mentions by source."""
    index_staged(stores, IndexingSettings(), lambda *_: None)
    served = stores.state.served()
    return {d.source: {m.key for item in p.chunks for m in item.mentions if m.role == "mention"} for d, p in served}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bergen office", "Bergen\nOffice"),
        ("Kari Moe", "kari moe"),
        ("Berg", None),
        ("office is", "Office is"),
        ("EMAIL", None),
        ("Oslo", None),
        ("", None),
        (" ", None),
        ("x" * 200, None),
    ],
)
def test_a_name_stands_in_the_passage_or_is_none(name: str, found: str | None):
    span = find_span(name, TEXT)
    assert (TEXT[slice(*span)] if span else None) == found


def test_korean_names_stand_before_particles():
    text = "정보보호팀은 [PHONE] 번으로 방화벽을 관리한다."
    assert find_span("정보보호팀", text) == (0, 5)
    assert find_span("방화벽", text) is not None
    assert find_span("재무팀", text) is None


def test_what_the_passage_does_not_bear_out_is_left_out():
    given = answer(
        [("kari moe", 0.9), ("Bergen Office", 0.8), ("Oslo", 1.0), ("[EMAIL]", 1.0), ("KARI MOE", 0.1)],
        [
            ("Kari Moe", "Bergen Office", "manages", "is run by kari moe", 0.7),
            ("Kari Moe", "Bergen Office", "manages", "is run by", 0.1),
            ("Kari Moe", "Oslo", "manages", "is run by kari moe", 0.9),
            ("Kari Moe", "Bergen Office", "manages", "she built it", 0.9),
            ("Kari Moe", "Bergen Office", "admires", "is run by kari moe", 0.9),
            ("Kari Moe", "kari moe", "manages", "is run by kari moe", 0.9),
        ],
    )
    found = read_answer(given, TEXT, TYPES, MODEL)
    assert [TEXT[e.start : e.end] for e in found.entities] == ["kari moe", "Bergen\nOffice"]
    (relation,) = found.relations
    assert (relation.source, relation.target, relation.relation_type, relation.confidence) == (0, 1, "manages", 0.7)
    assert TEXT[relation.start : relation.end] == "is run by kari moe"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"entities": []}', answer([("a", 7)]), answer([("kari moe", 1)])[:-9]])
def test_what_is_no_such_json_is_our_error(text: str):
    with pytest.raises(ModelUnavailable, match=r"max_tokens, or choose a model"):
        read_answer(text, TEXT, TYPES, MODEL)


def prepared(*mentions: Mention, relations: tuple[Relation, ...] = ()) -> PreparedDocument:
    chunk = Chunk("c", "d", 0, TEXT, ElementKind.TEXT, "en")
    return PreparedDocument("d", "1", "f", "T", "md", (PreparedChunk(chunk, "", mentions),), relations=relations)


def test_merging_by_hand():
    title, free = Mention("vpn", "VPN", "title"), Mention("bergen office", "Bergen Office", "mention", 70, 0.7)
    other = Mention("gateway", "gateway", "mention", 4, 0.6)
    document = prepared(title, other, free, relations=(Relation("vpn", "gateway", "describes", 1.0),))
    moe, office = find_span("kari moe", TEXT), find_span("Bergen Office", TEXT)
    assert moe and office
    unsure = ExtractedEntity(4, 11, 0.2)
    entities = (ExtractedEntity(*moe, 0.9), ExtractedEntity(*office, 0.8), unsure)
    links = (ExtractedRelation(0, 1, "manages", 0.7, 0, 3), ExtractedRelation(0, 2, "uses", 0.9, 0, 3))
    found = [Extraction(entities, links)]
    merged = with_extractions(document, found, ExtractionSettings(), 10)
    assert merged.chunks[0].mentions == (
        title,
        other,
        Mention("bergen office", "Bergen Office", "mention", office[0], 0.8),
        Mention("kari moe", "kari moe", "mention", moe[0], 0.9),
    )
    assert merged.relations == (
        Relation("kari moe", "gateway", "uses", 0.9),
        Relation("kari moe", "bergen office", "manages", 0.7),
        *document.relations,
    )
    alone = with_extractions(document, found, ExtractionSettings(keep_free=False), 10)
    assert [m.key for m in alone.chunks[0].mentions] == ["vpn", "bergen office", "kari moe"]
    assert [r.relation_type for r in alone.relations] == ["manages"]
    few = with_extractions(document, found, ExtractionSettings(), 3)
    assert [m.key for m in few.chunks[0].mentions] == ["vpn", "bergen office", "kari moe"]
    assert with_extractions(document, [Extraction()], ExtractionSettings(), 10) == document


def test_masked_passages_are_read_once_and_found_in_the_graph(stores: Stores, server: ModelServerAddress, tmp_path: Path):
    report = ingest(stores, tmp_path)
    assert report.extraction == {"asked": 3}
    found = mentions(stores)
    assert {"old gateway", "night crew"} <= found["gateway.md"]
    assert "leave desk" in found["leave.md"]
    relations = stores.graph.relations_of(["old gateway"], Principal("default"), 9)
    assert Relation("old gateway", "night crew", "manages", 0.9) in relations
    sent = json.dumps([body for _, body, _ in server.faults.requests])
    assert "kim@acme.com" not in sent
    assert "[EMAIL]" in sent
    assert all(body["response_format"]["json_schema"]["strict"] for _, body, _ in server.faults.requests)
    kept = "".join(file.read_text() for file in (tmp_path / "cache").rglob("*") if file.is_file())
    assert kept
    assert "crew" not in kept

    again = PreparationSettings(extraction=ON.extraction.model_copy(update={"revision": "2"}))
    asked = len(server.faults.requests)
    assert ingest(stores, tmp_path, again).prepared == 3  # the fingerprint changed, the passages did not
    assert len(server.faults.requests) == asked
    assert mentions(stores) == found
    assert ingest(stores, tmp_path, again).prepared == 0


def test_passages_of_a_judged_set_are_read_too(stores: Stores):
    passage = PassageText("1", "VPN", FILES["gateway.md"])
    stage_passages([passage], "default", stores, ON, WorkerSettings(), lambda *_: None)
    assert "night crew" in mentions(stores)["1"]


def test_a_model_that_is_away_leaves_the_free_entities(
    stores: Stores, server: ModelServerAddress, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    server.faults.statuses = [500] * 99
    report = ingest(stores, tmp_path)
    assert (report.prepared, report.failed) == (3, 0)
    assert report.extraction == {"failed": 3}
    assert "keeps its free entities" in caplog.text
    free = embedded_stores(tmp_path / "free", _NoEmbedder())
    (tmp_path / "free").mkdir()
    ingest(free, tmp_path, PreparationSettings())
    assert mentions(stores) == mentions(free)
    free.close()
    warnings = {document.source: p.warnings for document, p in stores.state.served()}
    assert "1 of 1 passages have the entities found without a language model only" in warnings["leave.md"][0]


def test_a_model_that_stays_away_is_not_asked_for_every_passage(stores: Stores, server: ModelServerAddress):
    server.faults.statuses = [500] * 99
    enricher = open_enricher(stores, ON)
    assert enricher is not None
    documents = [prepared() for _ in range(20)]
    assert all(document.warnings for document in enricher.enrich(documents))
    assert GIVE_UP_AFTER <= len(server.faults.requests) < GIVE_UP_AFTER + enricher.extractor.parallel
    assert enricher.counts == {"failed": 20}


def test_off_is_free_of_it(stores: Stores, server: ModelServerAddress, tmp_path: Path):
    assert ingest(stores, tmp_path, PreparationSettings()).extraction == {}
    assert server.faults.requests == []


def test_only_what_is_on_changes_the_fingerprint():
    off = PreparationSettings(extraction=ExtractionSettings(model="other", min_confidence=0.1))
    assert off.fingerprint() == PreparationSettings().fingerprint()
    changes = [{"model": "other"}, {"revision": "2"}, {"keep_free": False}, {"min_confidence": 0.1}]
    prints = {ON.fingerprint(), PreparationSettings().fingerprint()}
    for change in changes:
        prints.add(PreparationSettings(extraction=ON.extraction.model_copy(update=change)).fingerprint())
    assert len(prints) == 2 + len(changes)


def test_settings_and_catalog_have_to_agree(stores: Stores):
    other = PreparationSettings(extraction=ExtractionSettings(enabled=True, model="other"))
    with pytest.raises(SettingsError, match=f"says 'other', the catalog entry `extractor` asks '{MODEL}'"):
        open_enricher(stores, other)
    with pytest.raises(SettingsError, match="catalog entry `extractor` has no model"):
        open_enricher(Stores(*[None] * 6), ON)  # type: ignore[arg-type]
    assert ExtractorDataset().load() is None


def test_a_lost_or_broken_memory_is_asked_again(stores: Stores, server: ModelServerAddress, tmp_path: Path):
    assert stores.extractor is not None
    first = stores.extractor.extract("the night crew", "", TYPES, 64)
    (file,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    for broken in ("", "[", "[1]", "[[[1]], []]"):
        file.write_text(broken)
        assert stores.extractor.extract("the night crew", "", TYPES, 64) == first
    assert len(server.faults.requests) == 5
    assert stores.extractor.extract("the night crew", "other", TYPES, 64) == first
    assert len(server.faults.requests) == 6
    nowhere = FolderCache(file / "no folder")
    nowhere.put("ab", "x")
    assert nowhere.get("ab") is None


def test_the_enricher_keeps_the_order_of_documents(stores: Stores):
    extractor = stores.extractor
    assert extractor is not None
    documents = [prepared(), PreparedDocument("e", "1", "f", "T", "md", ())]
    assert [d.document_id for d in Enricher(extractor, ON.extraction, 9).enrich(documents)] == ["d", "e"]
