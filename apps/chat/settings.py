"""Settings of the chat application."""

from pydantic import Field

from apps.chat.texts import Language
from llmflow.accounts.settings import AuthSettings
from llmflow.config import Settings
from llmflow.serving.conversations.conversing import ConversingSettings


class ChatAppSettings(Settings):
    """What the page shows and where it listens, who signs in, and how many answers are written at once."""

    auth: AuthSettings = AuthSettings()
    conversing: ConversingSettings = ConversingSettings()
    title: str = "llmflow"
    language: Language = "ko"  # for a browser that says nothing
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)
    dashboard_url: str = ""
    """Where administrators find the dashboard; empty: no link."""
    low_confidence: float = Field(default=0.5, ge=0, le=1)
    """Answers whose evidence covers less of the question carry a warning."""
    samples_ko: tuple[str, ...] = ()
    samples_en: tuple[str, ...] = ()
    queue_size: int = Field(default=64, ge=1)  # questions that may wait for an answer

    @property
    def max_question_chars(self) -> int:
        return self.conversing.max_question_chars

    def samples_in(self, language: str) -> tuple[str, ...]:
        """Return the sample questions of `ko`; the English ones for everything else."""
        return self.samples_ko if language == "ko" else self.samples_en
