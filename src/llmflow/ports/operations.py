"""Ports of operating the house: prompt templates, background jobs, what was used, and who did what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One version of a question that people ask again and again, with {{variables}} to fill in."""

    id: str
    tenant: str
    account_id: str
    """Who made it."""
    name: str
    """What is typed after `/`: lower-case letters, digits and hyphens or Hangul; unique among those a person sees."""
    title: str
    text: str
    variables: tuple[str, ...]
    examples: tuple[tuple[str, str], ...] = ()
    """Few-shot pairs of question and answer, shown to the model before the question."""
    shared: bool = False
    """Everyone of the tenant sees it; else its maker alone."""
    version: int = 1
    updated_at: str = ""


class TemplateStore(Protocol):
    """Templates of a tenant; a person sees the shared ones and their own. Old versions are kept.

    Raises `NameTaken` and `NotFound`; a template that may not be seen is one that is not there.
    """

    def templates(self, tenant: str, account_id: str) -> list[PromptTemplate]:
        """Return the newest versions by name."""
        ...

    def template(self, template_id: str, tenant: str, account_id: str, version: int | None = None) -> PromptTemplate | None: ...

    def save(self, template: PromptTemplate) -> PromptTemplate:
        """Create it (an unknown id) or add the next version, and return it with its version. The maker stays the maker."""
        ...

    def versions(self, template_id: str, tenant: str, account_id: str) -> list[PromptTemplate]:
        """Return all versions, newest first."""
        ...

    def delete(self, template_id: str, tenant: str) -> bool: ...

    def delete_account(self, account_id: str) -> int:
        """Delete the templates of an account that nobody else sees and return how many; shared ones are the tenant's."""
        ...

    def close(self) -> None: ...


class JobStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on after the request that asked for it."""

    id: str
    kind: str
    """`ingest`, `reindex`, `delete` or `export`."""
    tenant: str
    account_id: str
    payload: Mapping[str, Any]
    status: JobStatus = JobStatus.WAITING
    progress: float = 0.0
    """0 to 1."""
    note: str = ""
    """The step it is at, or why it failed and what to do."""
    attempts: int = 0
    created_at: str = ""
    updated_at: str = ""


class JobStore(Protocol):
    """Jobs in the state database: the truth that a queue only hurries along. A job whose worker died is claimed again."""

    def add(self, job: Job) -> None: ...

    def claim(self, job_id: str, worker: str, lease_s: float) -> Job | None:
        """Return the job as running under a lease when it waits or its lease ran out; of several workers one gets it."""
        ...

    def report(self, job_id: str, worker: str, progress: float, note: str, lease_s: float) -> bool:
        """Renew the lease with what was reached. False when the job is another worker's by now: stop working on it."""
        ...

    def end(self, job_id: str, worker: str, status: JobStatus, note: str = "") -> bool:
        """Complete a job that this worker holds; returns whether it did."""
        ...

    def due(self, limit: int = 100) -> list[Job]:
        """Return jobs that wait or whose lease ran out, oldest first."""
        ...

    def job(self, job_id: str) -> Job | None: ...

    def jobs(
        self, tenant: str, account_id: str = "", status: JobStatus | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[Job], int]:
        """Return jobs, newest first, and how many there are."""
        ...

    def counts(self) -> Mapping[JobStatus, int]:
        """Return how many jobs of all tenants have each status; a status without jobs may be missing."""
        ...

    def delete_account(self, account_id: str) -> int:
        """Delete all jobs of an account and return how many; a worker that runs one learns it at its next report."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """One answered or failed question: numbers only, no text."""

    at: str
    tenant: str
    account_id: str
    groups: tuple[str, ...]
    session_id: str
    message_id: str
    model: str
    settings_id: str
    language: str
    status: str
    """A `MessageStatus`."""
    found: bool
    cached: bool
    ttft_ms: float
    total_ms: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    confidence: float = 0.0
    channel: str = "chat"
    """`chat`, `api`, `websocket` or `openai`."""
    pii: Mapping[str, int] = field(default_factory=dict)
    """Masked in question and answer, by kind."""
    suspicious: int = 0
    """Retrieved passages whose instructions were neutralised."""
    kind: str = ""
    """Of the question: `stand_alone`, `follow_up`, `several_documents` or `no_answer`; empty where it is not known."""


class EventLog(Protocol):
    """What was used, to be counted."""

    def record(self, event: AnswerEvent) -> None: ...

    def events(self, tenant: str, since: str, until: str = "") -> list[AnswerEvent]:
        """Return events of a tenant from `since` up to before `until` (ISO 8601), oldest first."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, chained: `mac` covers this entry and the `mac` before it."""

    number: int
    """From 1, without gaps."""
    at: str
    tenant: str
    actor: str
    """Account id, `cli`, or `system`."""
    action: str
    """Such as `document.delete`, `model.promote`, `account.sign_in_failed`."""
    target: str
    details: Mapping[str, Any]
    """Small, masked, without secrets and without document text."""
    mac: str = ""


class AuditLog(Protocol):
    """Append-only. There is no way to change or remove an entry through this port."""

    def append(
        self, tenant: str, actor: str, action: str, target: str = "", details: Mapping[str, Any] | None = None
    ) -> AuditEntry:
        """Add an entry to the one chain of the installation and return it; concurrent writers are put in order."""
        ...

    def entries(
        self, tenant: str, action: str = "", actor: str = "", since: str = "", until: str = "", limit: int = 100, offset: int = 0
    ) -> tuple[list[AuditEntry], int]:
        """Return entries whose action starts with `action`, newest first, and how many there are."""
        ...

    def chain(self) -> Iterator[AuditEntry]:
        """Yield every entry of every tenant by number, for verification."""
        ...

    def close(self) -> None: ...
