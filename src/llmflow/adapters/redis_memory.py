"""What a model may remember of sessions, in Redis: one list and one hash a session, changed by MULTI or by a script."""

import json
from collections.abc import Sequence

from llmflow.adapters.redis_connection import RedisConnection
from llmflow.types import ChatTurn

APPEND = """
local held = redis.call('RPUSH', KEYS[1], unpack(ARGV, 3))
local limit = tonumber(ARGV[1])
if held > limit then
  redis.call('LTRIM', KEYS[1], -limit, -1)
  local covered = tonumber(redis.call('HGET', KEYS[2], 'turns') or '0') - (held - limit)
  if covered > 0 then redis.call('HSET', KEYS[2], 'turns', covered) else redis.call('DEL', KEYS[2]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
"""
"""Turns and the reach of their summary change together: a reader never sees a summary of turns that are gone."""
SUMMARISE = """
local left = redis.call('PTTL', KEYS[1])
if left > 0 then
  redis.call('HSET', KEYS[2], 'text', ARGV[1], 'turns', ARGV[2])
  redis.call('PEXPIRE', KEYS[2], left)
end
"""
PART = 1000
"""Turns pushed by one call of a script; Lua unpacks a few thousand arguments at most."""


class RedisChatMemory:
    """ChatMemory in Redis. A session's keys share a hash tag, so that a cluster keeps them in one place."""

    def __init__(self, connection: RedisConnection, limit: int = 100, ttl_s: float = 86_400.0):
        self._redis = connection
        self._limit = limit
        self._ttl_ms = max(1, int(ttl_s * 1000))

    def append(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        if not turns:
            return
        written = [_written(turn) for turn in turns[-self._limit :]]
        with self._redis.client() as client:
            for start in range(0, len(written), PART):
                part = written[start : start + PART]
                client.eval(APPEND, 2, *self._keys(session_id), self._limit, self._ttl_ms, *part)

    def turns(self, session_id: str) -> list[ChatTurn] | None:
        with self._redis.client() as client:
            rows = client.lrange(self._keys(session_id)[0], 0, -1)
        return [ChatTurn(*json.loads(row)) for row in rows] or None

    def summary(self, session_id: str) -> tuple[str, int]:
        with self._redis.client() as client:
            text, turns = client.hmget(self._keys(session_id)[1], ["text", "turns"])
        return (text or "", int(turns or 0)) if text is not None else ("", 0)

    def set_summary(self, session_id: str, summary: str, turns: int) -> None:
        """Nothing happens when the session is not remembered."""
        with self._redis.client() as client:
            client.eval(SUMMARISE, 2, *self._keys(session_id), _plain(summary), turns)

    def replace(self, session_id: str, turns: Sequence[ChatTurn]) -> None:
        turns_key, summary_key = self._keys(session_id)
        with self._redis.client() as client, client.pipeline(transaction=True) as pipe:
            pipe.delete(turns_key, summary_key)
            if turns:
                pipe.rpush(turns_key, *[_written(turn) for turn in turns[-self._limit :]])
                pipe.pexpire(turns_key, self._ttl_ms)
            pipe.execute()

    def forget(self, session_id: str) -> None:
        with self._redis.client() as client:
            client.delete(*self._keys(session_id))

    def close(self) -> None:
        self._redis.close()

    def _keys(self, session_id: str) -> tuple[str, str]:
        own = f"{self._redis.prefix}memory:{{{session_id}}}"
        return f"{own}:turns", f"{own}:summary"


def _written(turn: ChatTurn) -> str:
    return json.dumps([_plain(turn.role), _plain(turn.content)], ensure_ascii=False)


def _plain(text: str) -> str:
    """Return text that UTF-8 holds, as the state database keeps it."""
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
