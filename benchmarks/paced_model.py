"""A model server without a model: python -m benchmarks.paced_model speaks as vLLM does, a token a step for everybody.

It costs next to nothing, so that what an answer costs our own process can be measured without a model on the same cores.
"""

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from sys import executable

MODEL = "paced"
SAYS = "휴가는 입사한 날부터 쓸 수 있고 남은 날은 다음 해로 넘어가지 않는다 신청은 팀장이 승인하면 끝난다 "
TOKENS = re.findall(r" ?\S{1,2}", SAYS)
"""Pieces of words, the blank before them as in vocabularies of BPE. Without a source: an answer that cites is given again."""
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def paced_model(tokens: int, first_s: float, step_s: float) -> Iterator[str]:
    """Yield the address of a server in a process of its own."""
    command = [executable, "-m", "benchmarks.paced_model", *map(str, (tokens, first_s, step_s))]
    with Popen(command, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _event(**row: object) -> bytes:
    shared = {"id": "chatcmpl-1f2e3d4c5b6a79880123456789abcdef", "object": "chat.completion.chunk", "created": 1764169200}
    data = b"data: " + json.dumps({**shared, "model": MODEL, **row}, ensure_ascii=False).encode() + b"\n\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _choice(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _event(choices=[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish, "token_ids": None}])


class _Steps:
    """Wakes every stream at the same moments, as a scheduler of batches does."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._next = asyncio.Event()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._step_s)
            woken, self._next = self._next, asyncio.Event()
            woken.set()

    async def wait(self) -> None:
        await self._next.wait()


async def _answer(tokens: int, first_s: float, steps: _Steps, prompt: int) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
    await asyncio.sleep(first_s)
    yield _choice({"role": "assistant", "content": ""})
    for number in range(tokens):
        await steps.wait()
        yield _choice({"content": TOKENS[number % len(TOKENS)]})
    yield _choice({}, "stop")
    yield _event(choices=[], usage={"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens})
    done = b"data: [DONE]\n\n"
    yield f"{len(done):x}\r\n".encode() + done + b"\r\n0\r\n\r\n"


async def _serve(tokens: int, first_s: float, step_s: float) -> None:
    steps = _Steps(step_s)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                if not head.startswith(b"POST /v1/chat/completions"):
                    found = json.dumps({"data": [{"id": MODEL}]}).encode() if b"/models" in head.split(b"\r\n")[0] else b""
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(found) + found)
                    continue
                async for data in _answer(tokens, first_s, steps, len(body) // 4):
                    writer.write(data)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await steps.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokens", type=int)
    parser.add_argument("first_s", type=float, help="seconds to the first token")
    parser.add_argument("step_s", type=float, help="seconds between two tokens")
    args = parser.parse_args()
    asyncio.run(_serve(args.tokens, args.first_s, args.step_s))


if __name__ == "__main__":
    main()
