"""What administrators do to documents."""

from collections.abc import Sequence

from llmflow.errors import SettingsError
from llmflow.ingestion.indexing import carry_out_removals
from llmflow.ports import Stores
from llmflow.serving.evaluation.experiment_index import drop_copies
from llmflow.types import Document


def delete_by_name(stores: Stores, names: Sequence[str], tenant: str | None = None) -> list[Document]:
    """Delete documents named by id or source from every store and from copies made for experiments; return what they were.

    A deletion that was cut off is finished first, so that the same command may simply be given again.
    Raises SettingsError, before anything is deleted, when a name is unknown or belongs to several tenants.
    """
    carry_out_removals(stores)
    chosen = named_documents(stores, names, tenant)
    stores.state.delete([document.id for document in chosen])
    carry_out_removals(stores)
    drop_copies()
    return chosen


def named_documents(stores: Stores, names: Sequence[str], tenant: str | None = None) -> list[Document]:
    """Return the documents named by id or source, each once. Raises SettingsError for a name of none or of several tenants."""
    documents = stores.state.documents()
    chosen: dict[str, Document] = {}
    for name in names:
        found = [d for d in documents if name in (d.id, d.source) and tenant in (None, d.tenant)]
        if not found:
            raise SettingsError(f"There is no document '{name}'. See `llmflow documents list` for ids and sources.")
        if len(found) > 1:
            owners = ", ".join(sorted(d.tenant for d in found))
            raise SettingsError(f"'{name}' belongs to several tenants: {owners}. Add --tenant.")
        chosen[found[0].id] = found[0]
    return list(chosen.values())
