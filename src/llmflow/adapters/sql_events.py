"""What was used, in the state database."""

import json
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Row, bindparam, insert, select

from llmflow.adapters.sql_application_tables import answer_events
from llmflow.adapters.sql_prepared import Prepared, inside
from llmflow.adapters.sql_values import ApplicationTables, instant, now, plain, storable
from llmflow.ports import AnswerEvent

_RECORD = Prepared(insert(answer_events).values({field.name: bindparam(f"new_{field.name}") for field in fields(AnswerEvent)}))


class SqlEventLog(ApplicationTables):
    """EventLog on SQLite or PostgreSQL."""

    def record(self, event: AnswerEvent) -> None:
        values = plain(asdict(event)) | {"at": instant(event.at) or now()}
        values |= {name: json.dumps(values[name], ensure_ascii=False) for name in ("groups", "pii")}
        with self._write() as connection:
            _RECORD.rows(inside(connection), **{f"new_{name}": value for name, value in values.items()})

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
    values["kind"] = values["kind"] or ""  # events from before revision 0004 have none
    return AnswerEvent(**values)
