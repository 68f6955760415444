"""Answers that were given before, in Redis: a hash an answer, sorted sets by scope and by use, sets by what answers rest on.

An answer's own key expires; the sets keep its id until somebody meets it there, so every reader asks for the key.
"""

import time
from collections.abc import Iterable, Sequence

from llmflow.adapters.cached_answers import dump, load, text_key
from llmflow.adapters.redis_connection import RedisConnection
from llmflow.ports import CachedAnswer

CANDIDATES = 500


class RedisAnswerCache:
    """AnswerCache in Redis."""

    def __init__(self, connection: RedisConnection, limit: int = 5000, ttl_s: float = 86_400.0):
        self._redis = connection
        self._limit = limit
        self._ttl_ms = max(1, int(ttl_s * 1000))

    def forms(self, scope: str) -> list[tuple[str, str, str]]:
        with self._redis.client() as client:
            ids = client.zrevrange(self._key("scope", scope), 0, CANDIDATES - 1)
            with client.pipeline(transaction=False) as pipe:
                for entry_id in ids:
                    pipe.hmget(self._key("entry", entry_id), ["form", "question"])
                rows = pipe.execute() if ids else []
            gone = [entry_id for entry_id, (form, _) in zip(ids, rows, strict=True) if form is None]
            if gone:
                client.zrem(self._key("scope", scope), *gone)
                client.zrem(self._key("use"), *gone)
        return [(entry_id, form, question) for entry_id, (form, question) in zip(ids, rows, strict=True) if form is not None]

    def get(self, entry_id: str) -> CachedAnswer | None:
        with self._redis.client() as client:
            entry = client.hget(self._key("entry", entry_id), "entry")
            if entry is None:
                return None
            found = load(entry)
            with client.pipeline(transaction=True) as pipe:
                pipe.zadd(self._key("scope", found.scope), {entry_id: time.time()}, xx=True)
                pipe.zadd(self._key("use"), {entry_id: time.time()}, xx=True)
                pipe.execute()
        return found

    def put(self, entry: CachedAnswer) -> None:
        self._remove([entry.id])
        values = {"form": entry.form, "question": entry.question, "entry": dump(entry)}
        indexes = [
            *self._sources(entry),
            self._key("text", entry.tenant, text_key(entry.answer.text)),
            self._key("tenant", entry.tenant),
        ]
        with self._redis.client() as client:
            with client.pipeline(transaction=True) as pipe:
                pipe.hset(self._key("entry", entry.id), mapping=values)
                pipe.pexpire(self._key("entry", entry.id), self._ttl_ms)
                pipe.zadd(self._key("scope", entry.scope), {entry.id: time.time()})
                pipe.zadd(self._key("use"), {entry.id: time.time()})
                pipe.pexpire(self._key("scope", entry.scope), self._ttl_ms)
                for key in indexes:
                    pipe.sadd(key, entry.id)
                    pipe.pexpire(key, self._ttl_ms)  # as long as the youngest answer in it
                pipe.execute()
            over = client.zcard(self._key("use")) - self._limit
            oldest = client.zrange(self._key("use"), 0, over - 1) if over > 0 else []
        self._remove(oldest)

    def forget_documents(self, document_ids: Sequence[str]) -> int:
        return self._forget(self._key("document", document_id) for document_id in document_ids)

    def forget_chunks(self, chunk_ids: Sequence[str]) -> int:
        return self._forget(self._key("chunk", chunk_id) for chunk_id in chunk_ids)

    def forget_answers(self, tenant: str, text: str) -> int:
        return self._forget([self._key("text", tenant, text_key(text))])

    def forget_tenant(self, tenant: str) -> int:
        return self._forget([self._key("tenant", tenant)])

    def size(self) -> int:
        with self._redis.client() as client:
            ids = client.zrange(self._key("use"), 0, -1)
            with client.pipeline(transaction=False) as pipe:
                for entry_id in ids:
                    pipe.exists(self._key("entry", entry_id))
                return sum(pipe.execute()) if ids else 0

    def close(self) -> None:
        self._redis.close()

    def _forget(self, keys: Iterable[str]) -> int:
        listed = list(keys)
        with self._redis.client() as client, client.pipeline(transaction=False) as pipe:
            for key in listed:
                pipe.smembers(key)
            ids = sorted(set().union(*pipe.execute())) if listed else []
        count = self._remove(ids)
        with self._redis.client() as client:
            if listed:
                client.delete(*listed)
        return count

    def _remove(self, ids: Sequence[str]) -> int:
        """Remove answers and their places in the sets; returns how many were still there."""
        count = 0
        with self._redis.client() as client:
            for entry_id in ids:
                dumped = client.hget(self._key("entry", entry_id), "entry")
                with client.pipeline(transaction=True) as pipe:
                    pipe.delete(self._key("entry", entry_id))
                    pipe.zrem(self._key("use"), entry_id)
                    if dumped is not None:
                        entry = load(dumped)
                        pipe.zrem(self._key("scope", entry.scope), entry_id)
                        for key in (*self._sources(entry), self._key("text", entry.tenant, text_key(entry.answer.text))):
                            pipe.srem(key, entry_id)
                        pipe.srem(self._key("tenant", entry.tenant), entry_id)
                    count += pipe.execute()[0]
        return count

    def _sources(self, entry: CachedAnswer) -> list[str]:
        documents = {self._key("document", source.document_id) for source in entry.sources}
        return sorted(documents | {self._key("chunk", source.chunk_id) for source in entry.sources})

    def _key(self, *parts: str) -> str:
        return f"{self._redis.prefix}cache:{':'.join(parts)}"
