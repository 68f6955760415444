"""Prompt templates over HTTP: made, changed in versions, filled in, carried from one installation to another."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from llmflow.accounts.permissions import Permission
from llmflow.answering.prompt_templates import (
    ExampleBody,
    TemplateBody,
    TemplatesFile,
    exported,
    imported,
    render,
    template_of,
)
from llmflow.errors import NotFound, PermissionDenied
from llmflow.ports import PromptTemplate, TemplateStore
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.http_errors import problems
from llmflow.types import Account
from llmflow.wording import said

Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="An older version; the newest without it.")]


class ValuesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    values: dict[str, str] = Field({}, description="A value for each variable.")


class TemplateOut(BaseModel):
    """One version of a template."""

    id: str
    name: str
    title: str
    text: str
    variables: list[str]
    examples: list[ExampleBody]
    shared: bool
    own: bool = Field(description="Made by who asks.")
    version: int
    updated_at: str

    @classmethod
    def of(cls, template: PromptTemplate, account: Account) -> "TemplateOut":
        plain = {name: getattr(template, name) for name in ("id", "name", "title", "text", "shared", "version", "updated_at")}
        examples = [ExampleBody(question=question, answer=answer) for question, answer in template.examples]
        own = template.account_id == account.id
        return cls(**plain, variables=list(template.variables), examples=examples, own=own)


class TemplatesOut(BaseModel):
    items: list[TemplateOut]
    total: int


class RenderedOut(BaseModel):
    text: str
    examples: list[ExampleBody]


class ImportedOut(BaseModel):
    created: list[str] = Field(description="Names that are new.")
    updated: list[str] = Field(description="Names of own templates that got another version.")


def make_router(store: TemplateStore, guard: Guard) -> APIRouter:
    """Return the routes under /api/templates."""
    router = APIRouter(prefix="/api/templates", tags=["templates"], responses=problems(401, 403))
    asking = Depends(guard.require(Permission.CHAT))

    def seen(template_id: str, account: Account, version: int | None = None) -> PromptTemplate:
        found = store.template(template_id, account.tenant, account.id, version)
        if found is None:
            raise NotFound(said("template.none"))
        return found

    def check_share(account: Account, shared: bool) -> None:
        if shared and Permission.TEMPLATES_SHARE not in guard.permissions(account):
            raise PermissionDenied(said("template.not_shared", role=account.role))

    def changeable(template_id: str, account: Account) -> PromptTemplate:
        found = seen(template_id, account)
        if found.account_id != account.id:
            check_share(account, True)
        return found

    @router.get("")
    def templates(account: Annotated[Account, asking]) -> TemplatesOut:
        """List the own templates and the shared ones, by name."""
        found = [TemplateOut.of(template, account) for template in store.templates(account.tenant, account.id)]
        return TemplatesOut(items=found, total=len(found))

    @router.post("", status_code=201, responses=problems(409, 422))
    def create(body: TemplateBody, account: Annotated[Account, asking]) -> TemplateOut:
        check_share(account, body.shared)
        return TemplateOut.of(store.save(template_of(body, secrets.token_hex(16), account.tenant, account.id)), account)

    @router.get("/export")
    def export(account: Annotated[Account, asking]) -> TemplatesFile:
        """Return all that are seen as one file, as /import takes it."""
        return exported(store.templates(account.tenant, account.id))

    @router.post("/import", responses=problems(409, 413, 422))
    def bring(file: TemplatesFile, account: Annotated[Account, asking]) -> ImportedOut:
        """Take the templates of a file: new names are created, own ones of a name get another version. All are checked first."""
        bodies = imported(file)
        for body in bodies:
            check_share(account, body.shared)
        mine = {t.name: t for t in store.templates(account.tenant, account.id) if t.account_id == account.id}
        for body in bodies:
            known = mine.get(body.name)
            store.save(template_of(body, known.id if known else secrets.token_hex(16), account.tenant, account.id))
        names = [body.name for body in bodies]
        return ImportedOut(created=[n for n in names if n not in mine], updated=[n for n in names if n in mine])

    @router.get("/{template_id}", responses=problems(404))
    def template(template_id: str, account: Annotated[Account, asking], version: Version = None) -> TemplateOut:
        return TemplateOut.of(seen(template_id, account, version), account)

    @router.put("/{template_id}", responses=problems(404, 409, 422))
    def change(template_id: str, body: TemplateBody, account: Annotated[Account, asking]) -> TemplateOut:
        """Add the next version; the ones before are kept."""
        known = changeable(template_id, account)
        if body.shared != known.shared:
            check_share(account, True)
        check_share(account, body.shared)
        return TemplateOut.of(store.save(template_of(body, template_id, account.tenant, known.account_id)), account)

    @router.delete("/{template_id}", status_code=204, responses=problems(404))
    def delete(template_id: str, account: Annotated[Account, asking]) -> None:
        """Delete a template with its versions."""
        changeable(template_id, account)
        if not store.delete(template_id, account.tenant):
            raise NotFound(said("template.none"))

    @router.get("/{template_id}/versions", responses=problems(404))
    def versions(template_id: str, account: Annotated[Account, asking]) -> TemplatesOut:
        """List all versions, the newest first."""
        seen(template_id, account)
        found = [TemplateOut.of(one, account) for one in store.versions(template_id, account.tenant, account.id)]
        return TemplatesOut(items=found, total=len(found))

    @router.post("/{template_id}/render", responses=problems(404, 422))
    def fill(template_id: str, body: ValuesIn, account: Annotated[Account, asking], version: Version = None) -> RenderedOut:
        """Return the text with its variables filled in, ready to be asked."""
        found = seen(template_id, account, version)
        examples = [ExampleBody(question=question, answer=answer) for question, answer in found.examples]
        return RenderedOut(text=render(found.text, body.values), examples=examples)

    return router
