"""What an administrator asks about the own tenant: use, quality, conversations, feedback, audit, personal data.

Each look at what people wrote is audited; counts are not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from llmflow.accounts.audit_chain import AuditVerdict
from llmflow.config import fingerprint_of
from llmflow.errors import NotFound, Refused
from llmflow.ports import (
    AnswerEvent,
    AuditEntry,
    AuditLog,
    ChatSession,
    ConversationStore,
    EventLog,
    FeedbackRow,
    Message,
)
from llmflow.serving.operating.quality import FeedbackCounts, Report, feedback_counts, newest_reports
from llmflow.serving.operating.settings import OperationsSettings
from llmflow.serving.operating.usage import (
    AnswerQualityRow,
    PiiRow,
    UsageRow,
    days_before,
    pii_rows,
    quality_rows,
    usage_rows,
)
from llmflow.types import Account
from llmflow.wording import said

DEFAULT_DAYS = 30
FEEDBACK_PAGE = 500
MAX_FEEDBACK = 20_000
MAX_EXPORT = 50_000

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Quality:
    answers: list[AnswerQualityRow]
    feedback: list[FeedbackCounts]
    reports: list[Report]


@dataclass(frozen=True, slots=True)
class Export:
    """A training snapshot: rows as `llmflow.finetuning.collected` reads them. `snapshot` is the hash of the rows."""

    rows: list[Mapping[str, Any]]
    snapshot: str


class AdminService:
    """Reads of one installation for administrators; every method takes who asks and sees that account's tenant only."""

    def __init__(
        self,
        events: EventLog,
        conversations: ConversationStore,
        audit: AuditLog,
        verify: Callable[[], AuditVerdict],
        mask: Mask,
        settings: OperationsSettings,
    ):
        self._events, self._conversations, self._audit = events, conversations, audit
        self._verify, self._mask, self.settings = verify, mask, settings

    def usage(self, account: Account, since: str, until: str, by: str) -> list[UsageRow]:
        return usage_rows(self._of(account, since, until), by, self.settings.prices)

    def pii(self, account: Account, since: str, until: str) -> list[PiiRow]:
        return pii_rows(self._of(account, since, until))

    def quality(self, account: Account, since: str, until: str, by: str) -> Quality:
        """Return answers and judgements by `day`, `language`, `model`, `settings_id` (or judgements by `reason`)."""
        start, end = _period(since), _moment(until)
        answers = [] if by == "reason" else quality_rows(self._events.events(account.tenant, start, end), by)
        judged = [row for row in self._judged(account.tenant) if row.at >= start and (not end or row.at < end)]
        return Quality(answers, feedback_counts(judged, by), newest_reports())

    def feedback(self, account: Account, rating: str, limit: int, offset: int) -> tuple[list[FeedbackRow], int]:
        """Return judged answers, newest first; the look is audited."""
        rows, total = self._conversations.feedback(account.tenant, rating, limit, offset)
        self._looked(account, "feedback.review", "", {"rating": rating, "shown": len(rows)})
        return [self._masked_feedback(row) for row in rows], total

    def sessions(self, account: Account, of: str, search: str, limit: int, offset: int) -> tuple[list[ChatSession], int]:
        """Return conversations of the tenant, newest first; the look is audited."""
        found, total = self._conversations.tenant_sessions(account.tenant, of, search, limit, offset)
        self._looked(account, "conversation.list", of, {"searched": bool(search), "shown": len(found)})
        return [replace(session, title=self._mask(session.title)) for session in found], total

    def messages(self, account: Account, session_id: str) -> list[Message]:
        """Return one conversation; the look is audited. Raises NotFound for one of another tenant."""
        found = self._conversations.tenant_messages(account.tenant, session_id)
        if not found:
            raise NotFound(said("conversation.none"))
        self._looked(account, "conversation.review", session_id, {"messages": len(found)})
        return [self._masked(message) for message in found]

    def export(self, account: Account, since: str, until: str, judged_only: bool, reason: str = "") -> Export:
        """Return the tenant's conversations as rows to train on, oldest first; audited with the hash of what was taken.

        Raises Refused for more than can be taken at once.
        """
        rows = list(self._rows(account.tenant, _moment(since), _moment(until), judged_only))
        snapshot = fingerprint_of(rows, 16)
        details: dict[str, Any] = {"rows": len(rows), "snapshot": snapshot, "judged_only": judged_only}
        if reason.strip():
            details["reason"] = reason.strip()
        self._looked(account, "conversation.export", "", details)
        return Export(rows, snapshot)

    def audit(
        self, account: Account, action: str, actor: str, since: str, until: str, limit: int, offset: int
    ) -> tuple[list[AuditEntry], int]:
        return self._audit.entries(account.tenant, action, actor, _moment(since), _moment(until), limit, offset)

    def verify(self) -> AuditVerdict:
        """Check the whole chain of the installation."""
        return self._verify()

    def _of(self, account: Account, since: str, until: str) -> list[AnswerEvent]:
        return self._events.events(account.tenant, _period(since), _moment(until))

    def _judged(self, tenant: str) -> Iterator[FeedbackRow]:
        for offset in range(0, MAX_FEEDBACK, FEEDBACK_PAGE):
            rows, total = self._conversations.feedback(tenant, "", FEEDBACK_PAGE, offset)
            yield from rows
            if offset + FEEDBACK_PAGE >= total:
                return

    def _rows(self, tenant: str, since: str, until: str, judged_only: bool) -> Iterator[Mapping[str, Any]]:
        taken = 0
        for row in self._conversations.conversations(since):
            if row["tenant"] != tenant or (until and str(row["time"]) >= until):
                continue
            turns = [self._masked_turn(turn) for turn in row["messages"]]
            if judged_only and not any(turn.get("feedback") or turn.get("correction") for turn in turns):
                continue
            taken += 1
            if taken > MAX_EXPORT:
                raise Refused(said("export.too_many", most=f"{MAX_EXPORT:,}"))
            yield {**row, "messages": turns}

    def _masked_turn(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        texts = {key: self._mask(turn[key]) for key in ("content", "correction") if turn.get(key)}
        return {**turn, **texts}

    def _masked(self, message: Message) -> Message:
        quoted = tuple(replace(citation, quote="") for citation in message.citations)
        texts = {name: self._mask(getattr(message, name)) for name in ("content", "reason", "correction")}
        return replace(message, citations=quoted, **texts)

    def _masked_feedback(self, row: FeedbackRow) -> FeedbackRow:
        return replace(row, **{name: self._mask(getattr(row, name)) for name in ("question", "answer", "reason", "correction")})

    def _looked(self, account: Account, action: str, target: str, details: Mapping[str, Any]) -> None:
        self._audit.append(account.tenant, account.id, action, target, details)


def _period(since: str) -> str:
    """Return the begin of a period: what was asked, else thirty days ago."""
    return _moment(since) or days_before(datetime.now(UTC), DEFAULT_DAYS)


def _moment(text: str) -> str:
    """Return a time as the stores compare it: ISO 8601 in UTC. Raises Refused for what is no time."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise Refused(said("time.malformed", text=f"{text[:40]!r}")) from exc
    return moment.isoformat(timespec="seconds")
