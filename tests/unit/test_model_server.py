"""Model servers that are slow, broken or wrong, over real sockets: what is retried, what is refused, and what is said."""

import hashlib
import math
import socket
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from kedro.io import DatasetError
from model_servers import MODEL, ModelServerAddress, serve_models

from llmflow.adapters.http_embedder import HttpEmbedderSettings, OpenAIEmbedder, TeiEmbedder
from llmflow.adapters.http_reranker import HttpRerankerSettings, TeiReranker, VllmReranker
from llmflow.adapters.model_server import ModelServer, ModelServerSettings, split_batches
from llmflow.datasets.models import EmbedderDataset, RerankerDataset
from llmflow.errors import ModelUnavailable

DIMENSION = 4


def embed(texts: Sequence[str]) -> list[list[float]]:
    return [[1.0 + byte for byte in hashlib.sha256(text.encode()).digest()[:DIMENSION]] for text in texts]


def score(question: str, passages: Sequence[str]) -> list[float]:
    return [float(len(set(question.split()) & set(passage.split()))) for passage in passages]


@pytest.fixture
def server() -> Iterator[ModelServerAddress]:
    with serve_models(embed, score) as server:
        yield server


def tei(server: ModelServerAddress, **settings) -> TeiEmbedder:
    return TeiEmbedder(HttpEmbedderSettings(url=server.url, model=MODEL, dimension=DIMENSION, **settings), "secret")


def openai(server: ModelServerAddress, **settings) -> OpenAIEmbedder:
    return OpenAIEmbedder(HttpEmbedderSettings(url=f"{server.url}/v1", model=MODEL, dimension=DIMENSION, **settings), "secret")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(server: ModelServerAddress, status: int):
    server.faults.statuses = [status, status]
    assert tei(server).embed_passages(["a"]).shape == (1, DIMENSION)
    assert len(server.faults.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_does_not_pass_is_not_tried_again(server: ModelServerAddress, status: int):
    server.faults.statuses = [status]
    with pytest.raises(ModelUnavailable, match=rf"{server.url}/embed .*status {status}: .*out of order.*catalog.yml"):
        tei(server).embed_passages(["a"])
    assert len(server.faults.requests) == 1


def test_retries_end(server: ModelServerAddress):
    server.faults.statuses = [500] * 9
    with pytest.raises(ModelUnavailable, match="status 500"):
        tei(server, retries=1).embed_passages(["a"])
    assert len(server.faults.requests) == 2


def test_nobody_listening_names_the_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ModelUnavailable, match=rf"reranker {MODEL} at {url}/rerank .*Check that the server runs there"):
        TeiReranker(HttpRerankerSettings(url=url, model=MODEL, retries=1)).score("q", ["a"])


@pytest.mark.parametrize("url", ["no address", "http://", "http://[::1"])
def test_what_is_no_address_is_our_error(url: str):
    with pytest.raises(ModelUnavailable, match="cannot be used"):
        TeiEmbedder(HttpEmbedderSettings(url=url, model=MODEL, retries=0)).embed_queries(["a"])


def test_a_slow_server_is_asked_once_and_then_left_alone(server: ModelServerAddress):
    server.faults.held = threading.Event()
    now = 100.0
    settings = ModelServerSettings(url=server.url, query_timeout_s=1, rest_s=5)
    client = ModelServer(settings, "embedding model", clock=lambda: now)
    with pytest.raises(ModelUnavailable, match="no answer in time"):
        client.post("/embed", {"inputs": ["a"]}, query=True)
    with pytest.raises(ModelUnavailable, match="left alone for 5 s"):
        client.post("/embed", {"inputs": ["a"]}, query=True)
    assert len(server.faults.requests) == 1
    server.faults.held.set()
    assert client.post("/embed", {"inputs": ["a"]}) == embed(["a"])  # an ingestion waits for whoever is slow
    now += 5
    assert client.post("/embed", {"inputs": ["a"]}, query=True) == embed(["a"])


@pytest.mark.parametrize("make", [tei, openai])
def test_batches_are_within_both_limits_and_in_order(server: ModelServerAddress, make):
    texts = [f"text {number} {'x' * (number % 7)}" for number in range(50)]
    vectors = make(server, batch=8, batch_chars=60, parallel=4).embed_passages(texts)
    expected = np.asarray(embed(texts))
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-5)
    sent = [body.get("inputs") or body["input"] for _, body, _ in server.faults.requests]
    assert sorted(text for batch in sent for text in batch) == sorted(texts)
    assert all(len(batch) <= 8 and sum(map(len, batch)) <= 60 for batch in sent)


def test_split_batches_by_hand():
    assert split_batches([], 2, 4) == []
    assert split_batches(["aaa", "bb", "c", "d", "eeeee"], 3, 4) == [["aaa"], ["bb", "c", "d"], ["eeeee"]]
    assert split_batches(["a", "b", "c"], 2, 100) == [["a", "b"], ["c"]]


@pytest.mark.parametrize("make", [tei, openai])
def test_missing_vectors_are_refused(server: ModelServerAddress, make):
    server.faults.drop_last = True
    with pytest.raises(ModelUnavailable, match="2 vectors were asked for"):
        make(server).embed_passages(["a", "b"])


def test_missing_scores_are_refused(server: ModelServerAddress):
    server.faults.drop_last = True
    for reranker in (TeiReranker, VllmReranker):
        with pytest.raises(ModelUnavailable, match="2 scores were asked for"):
            reranker(HttpRerankerSettings(url=server.url, model=MODEL)).score("q", ["a", "b"])


@pytest.mark.parametrize(
    "answer", [b"<html>", b"", b"[1", {"data": 3}, [["x", "y", "z", "w"]], [[math.nan] * 4], [None], "text", 7]
)
def test_nonsense_is_refused(server: ModelServerAddress, answer):
    server.faults.change = lambda _: answer
    for embedder in (tei(server), openai(server)):
        with pytest.raises(ModelUnavailable, match="cannot be used"):
            embedder.embed_queries(["a"])
    for reranker in (TeiReranker, VllmReranker):
        with pytest.raises(ModelUnavailable, match="cannot be used"):
            reranker(HttpRerankerSettings(url=server.url, model=MODEL)).score("q", ["a"])


def test_a_wrong_dimension_is_refused(server: ModelServerAddress):
    with pytest.raises(ModelUnavailable, match="makes 4 dimensions; `dimension` says 8"):
        TeiEmbedder(HttpEmbedderSettings(url=server.url, model=MODEL, dimension=8)).embed_queries(["a"])


def test_another_model_than_is_served_is_refused(server: ModelServerAddress):
    with pytest.raises(ModelUnavailable, match=r"status 404: .*does not exist"):
        OpenAIEmbedder(HttpEmbedderSettings(url=f"{server.url}/v1", model="other")).embed_queries(["a"])


def test_prompts_stand_before_the_text_and_the_key_in_the_header(server: ModelServerAddress):
    embedder = openai(server, query_prompt="query: ", passage_prompt="passage: ", truncate_tokens=512)
    embedder.embed_queries(["a"])
    embedder.embed_passages(["b", " "])
    (_, asked, key), (_, kept, _) = server.faults.requests
    assert (asked["input"], kept["input"]) == (["query: a"], ["passage: b", "passage:  "])
    assert asked["truncate_prompt_tokens"] == 512
    assert key == "Bearer secret"
    assert "secret" not in repr(embedder.settings) + embedder.name


def test_an_empty_text_is_sent_as_a_full_stop(server: ModelServerAddress):
    np.testing.assert_array_equal(*tei(server).embed_passages(["", "."]))
    TeiReranker(HttpRerankerSettings(url=server.url, model=MODEL)).score("q", ["", "\n"])
    assert server.faults.requests[-1][1]["texts"] == [".", "."]


@pytest.mark.parametrize("backend", ["tei", "openai"])
def test_an_entry_takes_address_and_key_from_credentials(server: ModelServerAddress, backend: str):
    url = server.url + ("/v1" if backend == "openai" else "")
    secret = {"url": url, "api_key": "from credentials"}
    embedder = EmbedderDataset(backend=backend, model=MODEL, dimension=DIMENSION, credentials=secret).load()
    assert embedder.embed_queries(["a"]).shape == (1, DIMENSION)
    assert server.faults.requests[0][2] == "Bearer from credentials"


def test_a_reranker_entry_opens_its_adapter(server: ModelServerAddress):
    assert RerankerDataset(backend="none").load() is None
    for backend in ("tei", "vllm"):
        reranker = RerankerDataset(backend=backend, model=MODEL, credentials={"url": server.url}).load()
        assert reranker.score("a b", ["b c", "a b"]) == [1.0, 2.0]


def test_a_check_asks_the_server(server: ModelServerAddress):
    models = (tei(server), openai(server), TeiReranker(HttpRerankerSettings(url=server.url, model=MODEL)))
    for model in models:
        model.check()
    server.faults.statuses = [404] * 3
    for model in models:
        with pytest.raises(ModelUnavailable, match="status 404"):
            model.check()
    assert len(server.faults.requests) == 6


def test_an_entry_without_an_address_is_refused():
    with pytest.raises(DatasetError, match=r"url\s+Field required"):
        EmbedderDataset(backend="tei", model=MODEL).load()
