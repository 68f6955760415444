"""`llmflow ingest`, `documents list|delete|release|withdraw-release`, `doctor`, `health`: what is in the corpus, is it sound."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmflow import __version__
from llmflow.cli.common import Env, Json, opened_workspace, show

if TYPE_CHECKING:
    from llmflow.types import Document

documents_app = typer.Typer(help="What is in the corpus, and taking it out again.", no_args_is_help=True)


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders; an access.yml beside them says who may read.")],
    env: Env = "base",
    tenant: Annotated[str, typer.Option(help="Tenant where no access.yml says otherwise.")] = "default",
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="Departments that may read; all by default.")] = None,
    retry_failed: Annotated[bool, typer.Option(help="Try files again that failed with the same content.")] = False,
    as_json: Json = False,
) -> None:
    """Parse, chunk, mask and index files; what is unchanged is not done again."""
    with opened_workspace(env) as workspace:
        from llmflow.ingestion.access import Grant
        from llmflow.ingestion.run import run_ingestion
        from llmflow.ingestion.sources import SourceSettings
        from llmflow.serving.locks import ingestion_lock
        from llmflow.serving.progress import log_progress
        from llmflow.serving.tables import print_ingestion

        sources = SourceSettings(
            paths=tuple(map(str, paths)), access=Grant(tenant=tenant, groups=tuple(group) if group else ("*",))
        )
        settings = workspace.ingestion.model_copy(update={"sources": sources, "retry_failed": retry_failed})
        with ingestion_lock(), log_progress(quiet=as_json) as progress:
            report = run_ingestion(settings, workspace.stores, workspace.notifier, progress)
        show(report, as_json, lambda: print_ingestion(report))


@documents_app.command("list")
def list_documents(
    env: Env = "base",
    status: Annotated[str | None, typer.Option(help="pending, processing, ready or failed.")] = None,
    tenant: Annotated[str | None, typer.Option(help="One tenant only.")] = None,
    as_json: Json = False,
) -> None:
    """List documents with status, readers and what was masked."""
    with opened_workspace(env) as workspace:
        from llmflow.errors import SettingsError
        from llmflow.serving.tables import print_documents
        from llmflow.types import DocumentStatus

        if status and status not in list(DocumentStatus):
            raise SettingsError(f"Unknown status '{status}'. Choose one of: {', '.join(DocumentStatus)}.")
        found = workspace.stores.state.documents(status=DocumentStatus(status) if status else None)
        found = [document for document in found if tenant in (None, document.tenant)]
        show(found, as_json, lambda: print_documents(found))


@documents_app.command("delete")
def delete_documents(
    names: Annotated[list[str], typer.Argument(help="Document ids, or sources as `documents list` shows them.")],
    env: Env = "base",
    tenant: Annotated[str | None, typer.Option(help="Tenant of the sources.")] = None,
    as_json: Json = False,
) -> None:
    """Delete documents from the state database, full text, vectors, graph and raw files."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.corpus.documents import delete_by_name
        from llmflow.serving.locks import ingestion_lock
        from llmflow.serving.operating.auditing import record_command

        with ingestion_lock():
            gone = delete_by_name(workspace.stores, names, tenant)
            for document in gone:
                record_command(workspace, "document.delete", document.id, tenant=document.tenant)
        deleted = [document.source for document in gone]
        show({"deleted": deleted}, as_json, lambda: typer.echo("\n".join(f"deleted {name}" for name in deleted)))


@documents_app.command("release")
def release_document(
    name: Annotated[str, typer.Argument(help="Document id, or source as `documents list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why it may be taken as it stands; kept in the audit log.")],
    env: Env = "base",
    tenant: Annotated[str | None, typer.Option(help="Tenant of the source.")] = None,
    as_json: Json = False,
) -> None:
    """Take a document as it stands though something in it speaks to a model; a changed file is judged anew."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.corpus.releases import given, releasable

        def release(document: "Document") -> Callable[[], object] | None:
            content_hash = releasable(workspace.stores, document)
            return None if document.released_at else lambda: workspace.stores.state.release(document.id, content_hash)

        _released(workspace, name, tenant, "document.release", given(reason), as_json, release)


@documents_app.command("withdraw-release")
def withdraw_release_of_document(
    name: Annotated[str, typer.Argument(help="Document id, or source as `documents list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    env: Env = "base",
    tenant: Annotated[str | None, typer.Option(help="Tenant of the source.")] = None,
    as_json: Json = False,
) -> None:
    """Take a release back: the document is judged, and read again without what is found."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.corpus.releases import given, withdraw_release

        def withdraw(document: "Document") -> Callable[[], object] | None:
            known = workspace.stores.state.released([document.id])
            return (lambda: withdraw_release(workspace.stores, document, workspace.ingestion.preparation)) if known else None

        _released(workspace, name, tenant, "document.withdraw_release", given(reason), as_json, withdraw)


def _released(
    workspace: Any,
    name: str,
    tenant: str | None,
    action: str,
    reason: str,
    as_json: bool,
    change_of: Callable[["Document"], Callable[[], object] | None],
) -> None:
    """Carry a release or its withdrawal out at once and show the document as it is then. `change_of` gives None for no change."""
    from llmflow.serving.corpus.documents import named_documents
    from llmflow.serving.corpus.ingesting import ingest_original
    from llmflow.serving.locks import ingestion_lock
    from llmflow.serving.operating.auditing import record_command
    from llmflow.serving.progress import log_progress
    from llmflow.serving.tables import print_documents

    with ingestion_lock(), log_progress(quiet=as_json) as progress:
        (document,) = named_documents(workspace.stores, [name], tenant)
        if (change := change_of(document)) is not None:
            record_command(workspace, action, document.id, {"reason": reason}, tenant=document.tenant)  # before it is done
            change()
        after = ingest_original(workspace.stores, workspace.ingestion, document.id, progress, again=True)
    show(after, as_json, lambda: print_documents([after] if after else []))


def doctor(
    env: Env = "base",
    repair: Annotated[bool, typer.Option(help="Bring every store back to what the state database serves.")] = False,
    as_json: Json = False,
) -> None:
    """Check that every store agrees with the state database; exit status 1 when one does not."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.corpus import doctor as checks
        from llmflow.serving.locks import ingestion_lock

        with ingestion_lock():
            if repair:
                checks.repair(workspace.stores, workspace.ingestion.indexing)
            diagnosis = checks.diagnose(workspace.stores)
        show({**asdict(diagnosis), "ok": diagnosis.ok}, as_json, lambda: typer.echo(checks.describe(diagnosis)))
        if not diagnosis.ok:
            raise typer.Exit(1)


def health(env: Env = "base", as_json: Json = False) -> None:
    """Look at every part that answers depend on, with what to do where one is away; exit status 1 when none can be answered."""
    with opened_workspace(env) as workspace:
        from llmflow.serving.operating.health import FAILED, OK, look_at, workspace_checks

        found = look_at(workspace_checks(workspace, workspace.operations.min_free_gb))

        def tell() -> None:
            typer.echo(f"{found.status}: llmflow {__version__}, {env}")
            for part in found.parts:
                typer.echo(f"{part.name}: {'' if part.status == OK else part.status + ': '}{part.detail}")
                if part.remedy:
                    typer.echo(f"    {part.remedy}")

        show({"version": __version__, "env": env, **asdict(found)}, as_json, tell)
        if found.status == FAILED:
            raise typer.Exit(1)
