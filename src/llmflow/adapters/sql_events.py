"""What was used, in the state database."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Row, insert, select

from llmflow.adapters.sql_application_tables import answer_events
from llmflow.adapters.sql_values import ApplicationTables, instant, now, plain, storable
from llmflow.ports import AnswerEvent


class SqlEventLog(ApplicationTables):
    """EventLog on SQLite or PostgreSQL."""

    def record(self, event: AnswerEvent) -> None:
        values = plain(asdict(event)) | {"at": instant(event.at) or now()}
        with self._write() as connection:
            connection.execute(insert(answer_events).values(**values))

    def events(self, tenant: str, since: str, until: str = "") -> list[AnswerEvent]:
        at = answer_events.c.at
        wanted = select(answer_events).where(answer_events.c.tenant == storable(tenant), at >= instant(since))
        if until:
            wanted = wanted.where(at < instant(until))
        with self._read() as connection:
            return [_event(row) for row in connection.execute(wanted.order_by(at, answer_events.c.number))]


def _event(row: Row[Any]) -> AnswerEvent:
    values: dict[str, Any] = {field.name: row._mapping[field.name] for field in fields(AnswerEvent)}
    values["groups"] = tuple(values["groups"])
    return AnswerEvent(**values)
