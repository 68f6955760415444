"""What is removed together with an account, place by place."""

import logging
from collections.abc import Mapping
from typing import Any

from llmflow.errors import StoreUnavailable
from llmflow.ingestion.indexing import carry_out_removals
from llmflow.ports import ApplicationStores, Stores
from llmflow.serving.evaluation.experiment_index import drop_copies
from llmflow.serving.locks import ingestion_lock
from llmflow.serving.people.administration import Erase
from llmflow.types import Account

log = logging.getLogger(__name__)

REMOVAL_WAIT_S = 5.0
"""How long a deletion waits for an ingestion to end; later every run carries it out before it does anything else."""
_PAGE = 500


def erasers(workspace: Any) -> tuple[Erase, ...]:
    """Return what deletes an account's conversations, templates, jobs and own documents; stores are opened when it is asked."""
    return (
        lambda account: erase_conversations(workspace.application, account),
        lambda account: erase_templates(workspace.application, account),
        lambda account: erase_jobs(workspace.application, account),
        lambda account: erase_own_documents(workspace.stores, account),
    )


def erase_conversations(stores: ApplicationStores, account: Account) -> Mapping[str, int]:
    """Delete every conversation, and what a model may remember of it."""
    offset, total = 0, 1
    while offset < total:
        sessions, total = stores.conversations.sessions(account.id, limit=_PAGE, offset=offset)
        for session in sessions:
            stores.memory.forget(session.id)
        offset += _PAGE
    return {"conversations": stores.conversations.delete_account(account.id)}


def erase_templates(stores: ApplicationStores, account: Account) -> Mapping[str, int]:
    """Delete the templates that nobody else sees; shared ones stay with the tenant."""
    return {"templates": stores.templates.delete_account(account.id)}


def erase_jobs(stores: ApplicationStores, account: Account) -> Mapping[str, int]:
    """Delete its jobs, which name files; a worker that runs one stops at its next report."""
    return {"jobs": stores.jobs.delete_account(account.id)}


def erase_own_documents(stores: Stores, account: Account) -> Mapping[str, int]:
    """Delete the documents of the own space from every store; those that were uploaded for groups are the tenant's."""
    documents = stores.state.documents(account.principal())
    own = [document.id for document in documents if set(document.groups) == {account.own_space}]
    if own:
        stores.state.delete(own)  # nobody finds them from now on
        try:
            with ingestion_lock(REMOVAL_WAIT_S):
                carry_out_removals(stores)
                drop_copies()
        except StoreUnavailable as exc:
            log.warning("What is left of %d documents in the stores is removed by the next run: %s", len(own), exc)
    return {"documents": len(own)}
