"""What is served, in plain values and in words: for `llmflow retrieval show` and the dashboard."""

from dataclasses import asdict
from typing import Any

from llmflow.errors import SettingsError
from llmflow.serving.evaluation.promotion import RetrievalPromotions

SHOWN_CHANGES = 10


def overview(promotions: RetrievalPromotions) -> dict[str, Any]:
    """Return what is served, the one before, what conf/ says, verdicts (newest first) and history (newest first).

    `problem` says why promoted settings cannot be served, where they cannot; it is empty otherwise.
    """
    record, problem = promotions.record(), ""
    try:
        served = promotions.served()
        shown = {"id": served.id, "label": served.label, "origin": served.origin}
        settings = served.settings.model_dump(mode="json")
    except SettingsError as exc:
        shown, settings, problem = {"id": "", "label": "", "origin": "promoted"}, {}, str(exc)
    champion = record.champion
    if champion is not None:
        shown |= {"since": champion.at, "by": champion.by, "reason": champion.reason}
    return {
        "served": shown,
        "settings": settings,
        "previous": {"id": record.previous.id, "label": record.previous.label} if record.previous else None,
        "configured": promotions.configured.id,
        "not_served_from_conf": {key: {"then": old, "now": new} for key, (old, new) in promotions.conflict().items()},
        "verdicts": [
            {
                "id": item.id,
                "label": item.label,
                "decision": item.verdict.decision,
                "made_at": item.verdict.made_at,
                "champion": item.verdict.champion,
                "reasons": item.verdict.reasons if not item.verdict.promoted else (),
            }
            for item in reversed(promotions.candidates().values())
        ],
        "history": [asdict(change) for change in reversed(record.history)],
        "problem": problem,
    }


def describe(found: dict[str, Any]) -> str:
    """Return the overview as lines for a terminal."""
    served = found["served"]
    origin = "conf/" if served["origin"] == "conf" else f"promoted as '{served['label']}'"
    lines = [f"served:   {served['id']} ({origin})"]
    if served.get("by"):
        lines.append(f"          since {served['since']} by {served['by']}: {served['reason']}")
    if found["problem"]:
        lines.append(f"PROBLEM:  {found['problem']}")
    if found["previous"]:
        lines.append(f"previous: {found['previous']['id']} ({found['previous']['label']}); llmflow retrieval rollback")
    if served["id"] != found["configured"]:
        lines.append(f"conf/:    {found['configured']} is not served")
    for key, change in found["not_served_from_conf"].items():
        lines.append(f"          changed since the promotion: {key}: {change['then']} -> {change['now']}")
    if found["not_served_from_conf"]:
        lines.append("          to serve it: llmflow retrieval gate --candidate conf, then promote conf")
    for item in found["verdicts"]:
        lines.append(
            f"verdict:  {item['decision']:<8} {item['id']} ({item['label']}) against {item['champion']}, {item['made_at']}"
        )
        lines += [f"          {reason}" for reason in item["reasons"]]
    for change in found["history"][:SHOWN_CHANGES]:
        lines.append(f"history:  {change['at']} {change['action']} {change['id']} by {change['by']}: {change['reason']}")
    return "\n".join(lines)
