"""What `llmflow serve-llm` does: servers started and supervised, the pointer brought to what is promoted."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

from llmflow.adapters.vllm_process import ModelServerSettings
from llmflow.adapters.vllm_server import VllmServer
from llmflow.errors import SettingsError
from llmflow.serving.models.promotion import build_model_promotions
from llmflow.serving.models.servers import Say, SupervisedServer, supervise
from llmflow.serving.models.settings import ServingSettings
from llmflow.workspace import home_path


def chosen_servers(
    settings: ServingSettings, model: str | None, port: int = 8000, threads: int = 0, dtype: str = "auto"
) -> ServingSettings:
    """Return the settings with `model` as the one server where it is given.

    Raises SettingsError when there is nothing to serve or a named folder is missing.
    """
    if model:
        folder = str(Path(model).expanduser().resolve()) if Path(model).expanduser().is_dir() else model
        one = ModelServerSettings(name=settings.model, model=folder, port=port, threads=threads, dtype=dtype)
        settings = settings.model_copy(update={"servers": (one,)})
    if not settings.servers:
        raise SettingsError(
            "There is no model to serve. Name its folder: llmflow serve-llm --model models/chat (make vllm MODEL=models/chat), "
            "or list servers under serving.servers in the parameters. Without a model the chat quotes its documents."
        )
    for server in settings.servers:
        if server.folder is None and (server.model.startswith((".", "/", "~")) or server.model.count("/") != 1):
            raise SettingsError(f"There is no folder {server.model} for {server.name}. Copy the whole model folder there.")
    return settings


def serve_models(workspace: Any, settings: ServingSettings, say: Say, ready: Callable[[list[str]], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises ModelUnavailable when a server cannot be started or kept alive."""
    servers_entry = workspace.load("model_servers")
    promotions = build_model_promotions(workspace.load("model_registry"), servers_entry, workspace.stores.state, settings)
    logs = Path(home_path("serving"))
    servers = [SupervisedServer(one, logs, servers_entry.api_key, settings.supervision) for one in settings.servers]
    chat = {one.address for one in settings.servers if one.name == settings.model and one.task == "chat"}

    def all_ready() -> None:
        if chat:
            pointer = promotions.sync()
            say(f"{settings.model} answers as {pointer.model}{' (smoke model: it knows nothing)' if pointer.smoke else ''}")
        ready([one.address for one in settings.servers])

    def restored(server: VllmServer) -> None:
        if server.address in chat:
            promotions.gateway.restore(server)

    with stopping() as stop:
        try:
            supervise(servers, say, stop, all_ready, restored)
        finally:
            promotions.gateway.close()


@contextmanager
def stopping() -> Iterator[Event]:
    """Yield an event that SIGINT and SIGTERM set; whoever waits for it can end in order."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return
    old = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
