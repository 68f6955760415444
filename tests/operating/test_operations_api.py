"""Liveness, health with remedies, metrics, corpus, models and promotions over the real parts."""

from dataclasses import replace

import pytest
from house import ADMIN, ENGINEER, HR, NURI, upload
from prometheus_client.parser import text_string_to_metric_families

from llmflow.adapters.huey_queue import HueyQueue
from llmflow.errors import ModelUnavailable, StoreUnavailable
from llmflow.evaluation.gate import Check as GateCheck
from llmflow.evaluation.gate import decide
from llmflow.evaluation.promotion import Candidate
from llmflow.ports import AnswerEvent
from llmflow.serving.operating import metrics as metrics_module
from llmflow.serving.operating import operations as operations_module
from llmflow.serving.operating.health import Check, Part, look_at, overall

pytestmark = pytest.mark.xdist_group("operating")  # one house for all

KEYS = {"error", "allowed", "next"}
NOTE = "# 공지\n\n구내식당은 열두 시에 연다.\n".encode()
EVENT = AnswerEvent(
    at="2026-01-01T00:00:00+00:00", tenant="hanbit", account_id="a-hr", groups=("hr",), session_id="s", message_id="m",
    model="extractive", settings_id="s1", language="ko", status="done", found=True, cached=False, ttft_ms=120, total_ms=900,
    prompt_tokens=7, completion_tokens=5, pii={"phone": 2}, suspicious=1,
)  # fmt: skip


def test_anyone_may_ask_whether_the_process_lives(house):
    assert house.nobody.get("/healthz").json() == {"status": "ok"}


def test_health_names_every_part_and_only_to_who_may_ask(house):
    house.workspace.stores.vectors.spaces()  # the embedded server takes seconds to start
    body = house.as_(ENGINEER).get("/api/health").json()
    names = {part["name"] for part in body["parts"]}
    assert names >= {"state database", "full text", "vectors", "graph", "raw files", "embedder", "reranker", "chat model", "disk"}
    assert names >= {"job queue", "jobs", "audit"}
    assert body["status"] == "ok", body
    assert all(part["detail"] and not part["remedy"] for part in body["parts"])
    assert house.as_(HR).get("/api/health").status_code == 403 and house.nobody.get("/api/health").status_code == 401


def test_a_stopped_dependency_is_named_with_its_remedy(house, monkeypatch, tmp_path):
    monkeypatch.setattr(operations_module, "HEALTH_KEPT_S", 0.0)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(house.operating.operations, "_queue", HueyQueue(path=tmp_path / "file" / "jobs.db"))
    body = house.as_(ENGINEER).get("/api/health").json()
    assert body["status"] == "degraded"
    (broken,) = [part for part in body["parts"] if part["status"] != "ok"]
    assert broken["name"] == "job queue" and broken["status"] == "failed" and "jobs.db" in broken["detail"]
    assert broken["remedy"].startswith("Start Redis") and broken["remedy"].endswith(".")


def test_parts_that_hang_or_break_do_not_take_the_page_with_them():
    import threading

    release = threading.Event()

    def hang() -> str:
        release.wait(60)
        return "late"

    def away() -> str:
        raise ModelUnavailable("It is away.")

    def odd() -> str:
        raise RuntimeError("password=secret")

    def full() -> Part:
        return Part("disk", "degraded", "little left", "Free space.")

    checks = [
        Check("vectors", hang, "Start Milvus."),
        Check("embedder", away, "Start it."),
        Check("graph", odd, "Start Neo4j."),
        Check("disk", full, ""),
        Check("audit", lambda: "fine", ""),
    ]
    try:
        found = look_at(checks, limit_s=1)
    finally:
        release.set()
    assert [(part.name, part.status, part.remedy) for part in found.parts] == [
        ("vectors", "failed", "Start Milvus."),
        ("embedder", "failed", "Start it."),
        ("graph", "failed", "Start Neo4j."),
        ("disk", "degraded", "Free space."),
        ("audit", "ok", ""),
    ]
    assert "secret" not in str(found) and found.status == "failed"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], "ok"),
        ([Part("graph", "ok", "")], "ok"),
        ([Part("embedder", "failed", "")], "degraded"),
        ([Part("disk", "degraded", "")], "degraded"),
        ([Part("state database", "failed", ""), Part("graph", "ok", "")], "failed"),
    ],
)
def test_what_is_optional_makes_the_whole_degraded(parts, expected):
    assert overall(parts) == expected


def samples(house) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = house.nobody.get("/metrics", headers={"Authorization": "Bearer scrape-me"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_are_counted_by_template_and_never_by_what_was_sent(house, monkeypatch):
    monkeypatch.setattr(metrics_module, "KEPT_S", 0.0)
    before = samples(house)
    document = upload(house.as_(HR), "공지.md", NOTE).json()["document"]
    house.as_(HR).get("/api/documents/secret-id-1")
    house.nobody.get("/secret-path-2")
    house.nobody.request("SECRET3", "/healthz")
    house.operating.events.record(EVENT)
    found = {key: value - before.get(key, 0.0) for key, value in samples(house).items()}
    route = ("route", "/api/documents/{document_id}")
    assert found["llmflow_http_requests_total", (("method", "GET"), route, ("status", "404"))] == 1
    assert found["llmflow_http_request_seconds_count", (route,)] == 1
    answers = (("cached", "false"), ("found", "true"), ("model", "extractive"), ("status", "done"))
    assert found["llmflow_answers_total", answers] == 1
    assert found["llmflow_answer_first_token_seconds_sum", ()] == pytest.approx(0.12)
    assert found["llmflow_tokens_total", (("kind", "prompt"), ("model", "extractive"))] == 7
    assert found["llmflow_pii_masked_total", (("kind", "phone"),)] == 2 and found["llmflow_suspicious_passages_total", ()] == 1
    assert found["llmflow_documents", (("status", "pending"),)] == 1 and found["llmflow_queue_depth", ()] == 1
    assert found["llmflow_jobs", (("status", "waiting"),)] == 1
    assert samples(house)["llmflow_http_in_flight", ()] == 1 and found["llmflow_index_freshness_seconds", ()] >= 0
    assert "secret" not in str(found).lower() and "공지" not in str(found)
    house.operating.work.do_due()
    ready = samples(house)["llmflow_documents", (("status", "ready"),)]
    assert ready == before["llmflow_documents", (("status", "ready"),)] + 1
    assert house.as_(HR).delete(f"/api/documents/{document['id']}").status_code == 200


def test_metrics_need_the_token_or_the_permission(house):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "Basic scrape-me"}):
        refused = house.nobody.get("/metrics", headers=headers)
        assert refused.status_code == 401 and set(refused.json()) == KEYS
    assert house.as_(ENGINEER).get("/metrics").status_code == 200 and house.as_(HR).get("/metrics").status_code == 403


def test_without_a_configured_token_an_empty_one_opens_nothing(house):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from llmflow.serving.people.auth import Guard
    from llmflow.serving.routers.operations import make_router
    from llmflow.serving.web.http_errors import install_error_handlers

    def nobody(_):
        from llmflow.errors import SignInRequired

        raise SignInRequired("Nobody is signed in.")

    app = FastAPI()
    install_error_handlers(app)
    app.include_router(make_router(house.operating.operations, house.operating.metrics, Guard(nobody, "hanbit"), ""))
    for value in ("Bearer ", "Bearer", "bearer  "):
        assert TestClient(app).get("/metrics", headers={"Authorization": value}).status_code == 401


def test_a_gauge_that_cannot_be_read_is_absent_and_counted(monkeypatch):
    metrics = metrics_module.Metrics()

    def away() -> dict:
        raise StoreUnavailable("gone")

    metrics.watch("llmflow_gone", "Not there.", (), away)
    text = metrics.text().decode()
    assert "llmflow_gone " not in text.replace("# HELP llmflow_gone ", "").replace("# TYPE llmflow_gone ", "")
    assert 'llmflow_errors_total{kind="metrics"} 1.0' in metrics.text().decode()


def test_models_beyond_a_number_share_a_label():
    metrics = metrics_module.Metrics()
    for number in range(metrics_module.MAX_MODELS + 5):
        metrics.observe(replace(EVENT, model=f"m{number}"))
    text = metrics.text().decode()
    assert 'model="other"' in text and f'model="m{metrics_module.MAX_MODELS}"' not in text


def test_the_corpus_is_counted_by_tenant(house):
    for who, name in ((ADMIN, "모두.md"), (HR, "내.md"), (NURI, "누리.md")):
        upload(house.as_(who), name, NOTE + name.encode(), **({"groups": ["*"]} if who == ADMIN else {}))
    house.operating.work.do_due()
    upload(house.as_(HR), "깨짐.pdf", b"%PDF-1.7\nnothing follows")
    before = house.as_(ENGINEER).get("/api/corpus").json()
    assert before["waiting"] == 1 and before["freshness_s"] >= 0
    house.operating.work.do_due()
    body = house.as_(ENGINEER).get("/api/corpus").json()
    assert body["documents"] == 3 and body["by_status"] == {"failed": 1, "ready": 2} and body["chunks"] == 2
    assert body["by_space"] == {"*": 1, "own spaces": 2} and body["by_format"]["md"] == 2 and body["waiting"] == 0
    assert [failure["source"] for failure in body["failures"]] == ["uploads/a-hr/깨짐.pdf"]
    assert house.as_(NURI).get("/api/corpus").json()["documents"] == 1
    assert house.as_(HR).get("/api/corpus").status_code == 403


def test_retrieval_settings_are_promoted_and_rolled_back_with_a_reason_by_the_home_tenant(house):
    workspace = house.workspace
    served = workspace.promotions.served()
    settings = served.settings.model_copy(update={"candidates": 60})
    check = GateCheck("R@5", True, 0.9, 0.8, "R@5 is 0.90.")
    verdict = decide("retrieval settings", settings.fingerprint(), served.id, [check], "2026-11-25T00:00:00+00:00")
    candidate = Candidate("fewer", settings.model_dump(mode="json"), verdict)
    workspace.promotions.keep_verdict(candidate)
    body = {"id": "fewer", "reason": "as good with less"}
    for who in (ENGINEER, HR, NURI):
        assert house.as_(who).post("/api/retrieval/promote", json=body).status_code == 403
        assert house.as_(who).post("/api/retrieval/rollback", json={"reason": "why not"}).status_code == 403
    for reason in ("", "  ", "x"):
        assert house.as_(ADMIN).post("/api/retrieval/promote", json=body | {"reason": reason}).status_code == 422
    promoted = house.as_(ADMIN).post("/api/retrieval/promote", json=body)
    assert promoted.status_code == 200 and promoted.json() == {"served": candidate.id, "before": served.id}
    overview = house.as_(ENGINEER).get("/api/retrieval").json()
    assert overview["served"]["id"] == candidate.id and overview["served"]["by"] == ADMIN
    assert overview["history"][0]["reason"] == "as good with less"
    again = house.as_(ADMIN).post("/api/retrieval/promote", json={"id": "unjudged", "reason": "no verdict"})
    assert again.status_code == 409 and set(again.json()) == KEYS
    back = house.as_(ADMIN).post("/api/retrieval/rollback", json={"reason": "only a test"})
    assert back.json()["served"] == served.id
    entries, _ = workspace.application.audit.entries("hanbit", "retrieval.")
    assert [(entry.action, entry.target, entry.details["reason"]) for entry in entries] == [
        ("retrieval.rollback", served.id, "only a test"),
        ("retrieval.promote", candidate.id, "as good with less"),
    ]


def test_models_are_listed_and_nothing_is_promoted_without_a_verdict(house):
    body = house.as_(ENGINEER).get("/api/models").json()
    assert body["versions"] == [] and body["served"] is None and body["history"] == []
    assert house.as_(HR).get("/api/models").status_code == 403
    for who in (ENGINEER, NURI):
        refused = house.as_(who).post("/api/models/promote", json={"version": "candidate", "reason": "hope"})
        assert refused.status_code == 403
    refused = house.as_(ADMIN).post("/api/models/promote", json={"version": "candidate", "reason": "hope"})
    assert refused.status_code == 404 and set(refused.json()) == KEYS
    back = house.as_(ADMIN).post("/api/models/rollback", json={"reason": "nothing there"})
    assert back.status_code == 409 and set(back.json()) == KEYS
