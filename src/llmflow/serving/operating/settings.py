"""Settings of background work, uploads and operation: `jobs`, `uploads` and `operations` in the parameters."""

from collections.abc import Mapping

from pydantic import Field

from llmflow.config import Settings


class JobSettings(Settings):
    """How jobs are worked on."""

    in_chat: bool = True
    """`llmflow chat` works on jobs itself; set it to false where `llmflow worker` runs on its own."""
    workers: int = Field(default=1, ge=1, le=16)
    """Threads that take jobs. They write one after the other: more than one only pays for jobs that wait for nothing."""
    lease_s: float = Field(default=60.0, ge=1)
    """A job is another worker's when its own has said nothing for so long; it says something three times as often."""
    max_attempts: int = Field(default=5, ge=1)
    """A job that ends its worker so often is given up."""
    retry_s: float = Field(default=30.0, ge=0.1)
    """Wait before a job is tried again whose store or model was away; twice as long each time."""
    poll_s: float = Field(default=0.5, gt=0, le=10)
    """How often an empty queue is looked into where it cannot be waited for (SQLite)."""
    stop_s: float = Field(default=20.0, ge=0)
    """Wait for a job at hand when the process is told to stop; one that takes longer is finished by the next worker."""
    processes: int = Field(default=1, ge=1, le=8)
    """Processes that parse what was uploaded, apart from the server, under `ingestion.workers`' limits of time and memory."""
    warm: bool = True
    """Whether the chat, where it reads uploads itself, loads the parsers in the background as soon as it has started."""
    idle_s: float = Field(default=600.0, ge=0)
    """They end when nothing was uploaded for so long."""


class UploadSettings(Settings):
    """What one account may keep in its own space, and how large one file may be."""

    max_bytes: int = Field(default=50 * 1024**2, ge=1)
    max_documents: int = Field(default=200, ge=1)
    max_account_bytes: int = Field(default=1024**3, ge=1)
    max_name_chars: int = Field(default=120, ge=16, le=200)


class TokenPrice(Settings):
    """Cost of 1,000 tokens."""

    prompt: float = Field(default=0.0, ge=0)
    completion: float = Field(default=0.0, ge=0)


class OperationsSettings(Settings):
    """`operations` in the parameters."""

    prices: Mapping[str, TokenPrice] = {}
    """By model, as answers name it; a model that is not named costs nothing."""
    currency: str = Field(default="USD", min_length=1, max_length=8)
    min_free_gb: float = Field(default=2.0, ge=0)
