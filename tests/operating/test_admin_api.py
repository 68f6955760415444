"""What administrators see of use, conversations, feedback and audit: of their tenant, masked, each look audited."""

import csv
import io
import json
from dataclasses import replace

import pytest
from house import ADMIN, ENGINEER, HR, NURI

from llmflow.ports import AnswerEvent, MessageStatus
from llmflow.types import Citation

pytestmark = pytest.mark.xdist_group("operating")  # one house for all
KEYS = {"error", "allowed", "next"}
EVENT = AnswerEvent(
    at="2026-11-25T09:00:00+00:00", tenant="hanbit", account_id="a-hr", groups=("hr",), session_id="s", message_id="m",
    model="chat", settings_id="s1", language="ko", status="done", found=True, cached=False, ttft_ms=120, total_ms=900,
    prompt_tokens=7, completion_tokens=5, confidence=0.9, pii={"phone": 2},
)  # fmt: skip
DAY = {"since": "2026-11-25", "until": "2026-11-26"}
QUOTED = Citation(1, "c1", "d1", "규정", "hr/leave.md", 1, "규정", "남의 문서에서 옮긴 말")


@pytest.fixture(scope="module")
def talked(house):
    """Two tenants with a conversation each; one is judged."""
    conversations, events = house.workspace.application.conversations, house.operating.events
    kept = {}
    for tenant, account, question in (("hanbit", "a-hr", "휴가는 며칠인가요?"), ("nuri", "a-nuri-admin", "비밀 이야기")):
        session = conversations.create(tenant, account, f"{question} 010-1234-5678")
        _, answer = conversations.begin(session.id, account, question)
        conversations.finish(
            answer.id, account, "15일입니다 [1]. 연락처 010-1234-5678", MessageStatus.DONE, [QUOTED],
            {"model": "chat", "settings_id": "s1", "confidence": 0.9},
        )  # fmt: skip
        conversations.rate(answer.id, account, "down", "wrong", "16일입니다.")
        kept[tenant] = session.id
    for event in (
        EVENT,
        replace(EVENT, at="2026-11-24T09:00:00+00:00", model="old"),
        replace(EVENT, tenant="nuri", pii={"email": 9}),
    ):
        events.record(event)
    return kept


def entries(house, action: str) -> list:
    return house.workspace.application.audit.entries("hanbit", action)[0]


def test_use_is_the_tenants_in_the_period(house, talked):
    body = house.as_(ENGINEER).get("/api/admin/usage", params=DAY | {"by": "model"}).json()
    assert [(row["key"], row["questions"]) for row in body["items"]] == [("chat", 1), ("total", 1)]
    assert body["currency"] == "USD" and body["items"][0]["ttft_p95_ms"] == 120
    sheet = house.as_(ENGINEER).get("/api/admin/usage", params=DAY | {"format": "csv"})
    assert sheet.headers["content-type"].startswith("text/csv") and "attachment" in sheet.headers["content-disposition"]
    assert [row["key"] for row in csv.DictReader(io.StringIO(sheet.text))] == ["2026-11-25", "total"]
    assert house.as_(HR).get("/api/admin/usage").status_code == 403
    wrong = house.as_(ENGINEER).get("/api/admin/usage", params={"since": "yesterday"})
    assert wrong.status_code == 422 and set(wrong.json()) == KEYS


def test_conversations_are_masked_without_quotes_of_the_own_tenant_and_audited(house, talked):
    for stranger, status in ((ENGINEER, 403), (HR, 403)):
        assert house.as_(stranger).get("/api/admin/conversations").status_code == status
    listed = house.as_(ADMIN).get("/api/admin/conversations").json()
    assert [item["id"] for item in listed["items"]] == [talked["hanbit"]] and "1234" not in listed["items"][0]["title"]
    messages = house.as_(ADMIN).get(f"/api/admin/conversations/{talked['hanbit']}").json()["items"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert "1234" not in messages[1]["content"] and "남의 문서" not in json.dumps(messages, ensure_ascii=False)
    assert messages[1]["citations"][0]["title"] == "규정" and messages[1]["correction"] == "16일입니다."
    assert house.as_(ADMIN).get(f"/api/admin/conversations/{talked['nuri']}").status_code == 404
    looks = entries(house, "conversation.")
    assert [(look.action, look.actor, look.target) for look in looks[:2]] == [
        ("conversation.review", "a-admin", talked["hanbit"]), ("conversation.list", "a-admin", ""),
    ]  # fmt: skip


def test_feedback_is_listed_masked_and_counted(house, talked):
    body = house.as_(ADMIN).get("/api/admin/feedback", params={"rating": "down"}).json()
    assert (
        body["total"] == 1 and body["items"][0]["question"] == "휴가는 며칠인가요?" and "1234" not in body["items"][0]["answer"]
    )
    assert body["items"][0]["confidence"] == 0.9 and entries(house, "feedback.review")
    assert house.as_(ADMIN).get("/api/admin/feedback", params={"rating": "up"}).json()["total"] == 0
    assert house.as_(ENGINEER).get("/api/admin/feedback").status_code == 403
    quality = house.as_(ENGINEER).get("/api/admin/quality", params={"by": "language"}).json()
    (counts,) = quality["feedback"]
    assert (counts["key"], counts["judged"], counts["down"], counts["corrected"]) == ("ko", 1, 1, 1)


def test_quality_shows_answers_and_the_reports_of_the_workspace(house, talked):
    from pathlib import Path

    from llmflow.workspace import home_path

    folder = Path(home_path("reports"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "retrieval.json").write_text('{"channels": {"fused": {"R@5": 0.97}}}')
    body = house.as_(ENGINEER).get("/api/admin/quality", params=DAY | {"by": "settings_id"}).json()
    assert [(row["key"], row["answers"], row["found_share"]) for row in body["answers"]] == [("s1", 1, 1.0)]
    assert [(report["name"], report["content"]["channels"]["fused"]["R@5"]) for report in body["reports"]] == [
        ("retrieval", 0.97)
    ]
    assert house.as_(HR).get("/api/admin/quality").status_code == 403


def test_a_training_snapshot_is_rows_of_the_tenant_and_audited_with_its_hash(house, talked, tmp_path):
    body = house.as_(ADMIN).post("/api/admin/conversations/export", params={"reason": "next adapter"}, json={}).json()
    (row,) = body["items"]
    assert row["tenant"] == "hanbit" and row["messages"][1]["correction"] == "16일입니다." and "1234" not in str(row)
    assert row["messages"][1]["feedback"] == "down" and body["total"] == 1
    (entry, *_) = entries(house, "conversation.export")
    assert entry.details == {"rows": 1, "snapshot": body["snapshot"], "judged_only": True, "reason": "next adapter"}
    again = house.as_(ADMIN).post("/api/admin/conversations/export", json={}).json()
    assert again["snapshot"] == body["snapshot"]
    later = house.as_(ADMIN).post("/api/admin/conversations/export", json={"since": "2100-01-01"}).json()
    assert later["items"] == [] and house.as_(ENGINEER).post("/api/admin/conversations/export", json={}).status_code == 403
    assert house.as_(NURI).post("/api/admin/conversations/export", json={}).json()["items"][0]["tenant"] == "nuri"


def test_the_audit_is_listed_by_action_and_verified(house, talked):
    audit = house.workspace.application.audit
    audit.append("nuri", "a-nuri-admin", "document.delete", "d9")
    audit.append("hanbit", "a-admin", "document.delete", "d1", {"reason": "old"})
    body = house.as_(ADMIN).get("/api/admin/audit", params={"action": "document."}).json()
    assert body["items"][0]["target"] == "d1" and "d9" not in [item["target"] for item in body["items"]]
    assert house.as_(ADMIN).get("/api/admin/audit", params={"action": "document.", "until": "2000-01-01"}).json()["total"] == 0
    verdict = house.as_(ADMIN).get("/api/admin/audit/verify").json()
    assert verdict["ok"] and verdict["entries"] >= 2 and verdict["head"] and verdict["fault"] == ""
    sheet = house.as_(ADMIN).get("/api/admin/audit", params={"format": "csv", "action": "document.delete"}).text
    assert sheet.splitlines()[0].startswith("number,at,")
    for who in (ENGINEER, HR):
        assert house.as_(who).get("/api/admin/audit").status_code == 403
        assert house.as_(who).get("/api/admin/audit/verify").status_code == 403


def test_personal_data_is_counted_by_day_and_kind(house, talked):
    body = house.as_(ADMIN).get("/api/admin/pii", params=DAY).json()
    assert body["items"] == [{"day": "2026-11-25", "kind": "phone", "count": 2}]
    assert house.as_(ENGINEER).get("/api/admin/pii").status_code == 403
