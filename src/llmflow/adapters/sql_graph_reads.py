"""The statements that every search asks of the SQL graph. `uids` and `ids` are lists, `tenant` and `groups` who asks."""

from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select, true

from llmflow.adapters.graph_rows import TITLE_ROLE
from llmflow.adapters.sql_graph_tables import access_group, chunk, entity, mention, reach, spelling
from llmflow.adapters.sql_prepared import Prepared
from llmflow.types import Principal


def readers_of(principal: Principal) -> dict[str, Any]:
    """Return the values of `tenant` and `groups`."""
    return {"tenant": principal.tenant, "groups": principal.readable_groups}


def readable_by(principal: Principal) -> Select[int]:
    """Access sets of the principal's tenant with one of the principal's groups."""
    return _readable().params(**readers_of(principal))


def _readable() -> Select[int]:
    own = access_group.c.tenant == bindparam("tenant")
    return select(access_group.c.access_id).where(own, access_group.c.name.in_(_listed("groups")))


def _listed(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


SPELLINGS = Prepared(
    select(entity.c.key, spelling.c.name, reach.c.edges, reach.c.mentions, reach.c.titles)
    .join(reach, reach.c.entity_no == entity.c.id)
    .join(spelling, spelling.c.id == reach.c.spelling_no)
    .where(reach.c.access_id.in_(_readable()), entity.c.uid.in_(_listed("uids")))
)
"""Rows (key, name, edges, mentions, titles), one an access set and spelling."""

CHUNK_EDGES = Prepared(
    select(chunk.c.chunk_id, chunk.c.edges).where(chunk.c.access_id.in_(_readable()), chunk.c.chunk_id.in_(_listed("ids")))
)


@lru_cache(maxsize=8)
def best_edges(role: str | None, lateral: bool) -> Prepared:
    """Return the statement for the first `most` readable edges of each entity from the index; its other edges are not read."""
    found = mention.alias("found")
    best = (
        select(found)
        .where(found.c.entity_no == entity.c.id, found.c.access_id.in_(_readable()))
        .order_by(found.c.is_title.desc(), found.c.confidence.desc(), found.c.chunk_id, found.c.role)
        .limit(bindparam("most"))
    )
    if role is not None:
        best = best.where(found.c.is_title == (role == TITLE_ROLE), found.c.role == role)
    if lateral:
        edges = best.correlate(entity).lateral("edges")
        source = entity.join(edges, true())
        columns = edges.c
    else:  # SQLite has no LATERAL
        source = entity.join(mention, mention.c.id.in_(best.with_only_columns(found.c.id).correlate(entity)))
        columns = mention.c
    statement = select(columns.chunk_id, entity.c.key, columns.role, columns.position, columns.confidence)
    return Prepared(statement.select_from(source).where(entity.c.uid.in_(_listed("uids"))))
