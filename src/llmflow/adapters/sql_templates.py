"""Prompt templates and their versions in the state database."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, select, update

from llmflow.adapters.sql_application_tables import template_versions, templates
from llmflow.adapters.sql_values import ApplicationTables, now, storable
from llmflow.errors import NameTaken, NotFound
from llmflow.ports import PromptTemplate
from llmflow.wording import said


class SqlTemplateStore(ApplicationTables):
    """TemplateStore on SQLite or PostgreSQL.

    An own template hides a shared one of its name: a template that is shared later does not take the word from those who had it.
    """

    def templates(self, tenant: str, account_id: str) -> list[PromptTemplate]:
        wanted = _newest().where(_visible(tenant, account_id)).order_by(templates.c.name)
        with self._read() as connection:
            found = [_template(row) for row in connection.execute(wanted)]
        own = {template.name for template in found if template.account_id == account_id}
        return [template for template in found if template.account_id == account_id or template.name not in own]

    def template(self, template_id: str, tenant: str, account_id: str, version: int | None = None) -> PromptTemplate | None:
        wanted = templates.c.version if version is None else version
        statement = _all_versions(template_id, tenant, account_id).where(template_versions.c.version == wanted)
        with self._read() as connection:
            row = connection.execute(statement).one_or_none()
        return _template(row) if row is not None else None

    def save(self, template: PromptTemplate) -> PromptTemplate:
        with self._write() as connection:
            _lock_names(connection)
            known = connection.execute(select(templates).where(templates.c.id == template.id)).one_or_none()
            if known is not None and (
                known.tenant != template.tenant or not (known.shared or known.account_id == template.account_id)
            ):
                raise NotFound(said("template.none"))
            maker = template.account_id if known is None else known.account_id
            _refuse_taken(connection, template, maker)
            version = 1 if known is None else known.version + 1
            current = {"name": storable(template.name), "shared": template.shared, "version": version}
            if known is None:
                made = {"id": template.id, "tenant": storable(template.tenant), "account_id": maker}
                connection.execute(insert(templates).values(**made, **current))
            else:
                connection.execute(update(templates).where(templates.c.id == template.id).values(**current))
            connection.execute(
                insert(template_versions).values(
                    template_id=template.id,
                    **current,
                    title=storable(template.title),
                    text=storable(template.text),
                    variables=[storable(name) for name in template.variables],
                    examples=[[storable(question), storable(answer)] for question, answer in template.examples],
                    updated_at=now(),
                )
            )
            return _template(connection.execute(_newest().where(templates.c.id == template.id)).one())

    def versions(self, template_id: str, tenant: str, account_id: str) -> list[PromptTemplate]:
        statement = _all_versions(template_id, tenant, account_id).order_by(template_versions.c.version.desc())
        with self._read() as connection:
            return [_template(row) for row in connection.execute(statement)]

    def delete(self, template_id: str, tenant: str) -> bool:
        own = (templates.c.id == storable(template_id)) & (templates.c.tenant == storable(tenant))
        with self._write() as connection:
            return bool(connection.execute(delete(templates).where(own)).rowcount)

    def delete_account(self, account_id: str) -> int:
        own = (templates.c.account_id == storable(account_id)) & templates.c.shared.is_(False)
        with self._write() as connection:
            return connection.execute(delete(templates).where(own)).rowcount


COLUMNS = (
    templates.c.id,
    templates.c.tenant,
    templates.c.account_id,
    template_versions.c.name,
    template_versions.c.title,
    template_versions.c.text,
    template_versions.c.variables,
    template_versions.c.examples,
    template_versions.c.shared,
    template_versions.c.version,
    template_versions.c.updated_at,
)


def _newest() -> Select[*tuple[Any, ...]]:
    current = (template_versions.c.template_id == templates.c.id) & (template_versions.c.version == templates.c.version)
    return select(*COLUMNS).join_from(templates, template_versions, current)


def _all_versions(template_id: str, tenant: str, account_id: str) -> Select[*tuple[Any, ...]]:
    own = template_versions.c.template_id == templates.c.id
    found = select(*COLUMNS).join_from(templates, template_versions, own).where(templates.c.id == storable(template_id))
    return found.where(_visible(tenant, account_id))


def _visible(tenant: str, account_id: str) -> ColumnElement[bool]:
    own = templates.c.account_id == storable(account_id)
    return (templates.c.tenant == storable(tenant)) & (templates.c.shared.is_(True) | own)


def _lock_names(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # a name that is not there yet cannot be locked by its row
        connection.exec_driver_sql(f"LOCK TABLE {templates.name} IN SHARE ROW EXCLUSIVE MODE")


def _refuse_taken(connection: Connection, template: PromptTemplate, maker: str) -> None:
    """Refuse a name that the maker sees already; a shared template's name is also one among the shared ones."""
    others = (templates.c.tenant == storable(template.tenant)) & (templates.c.id != template.id)
    seen = templates.c.shared.is_(True) | (templates.c.account_id == maker)
    same = select(templates.c.id).where(others, seen, templates.c.name == storable(template.name)).limit(1)
    if connection.execute(same).first() is not None:
        raise NameTaken(said("template.name_taken", name=template.name))


def _template(row: Row[Any]) -> PromptTemplate:
    return PromptTemplate(
        id=row.id,
        tenant=row.tenant,
        account_id=row.account_id,
        name=row.name,
        title=row.title,
        text=row.text,
        variables=tuple(row.variables),
        examples=tuple((question, answer) for question, answer in row.examples),
        shared=row.shared,
        version=row.version,
        updated_at=row.updated_at,
    )
