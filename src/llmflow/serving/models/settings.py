"""Settings of served models: what is started, what is asked, where adapters stay."""

from pathlib import Path

from pydantic import Field, model_validator

from llmflow.adapters.vllm_process import ModelServerSettings
from llmflow.config import Settings
from llmflow.serving.models.gateway import GatewaySettings
from llmflow.serving.models.servers import SupervisionSettings
from llmflow.workspace import home_path


class ServingSettings(Settings):
    model: str = Field(default="chat", pattern=r"^[A-Za-z0-9][\w.-]{0,47}$")
    """The registered model. Servers of this name are the replicas that the chat asks and that adapters are promoted on."""
    servers: tuple[ModelServerSettings, ...] = ()
    """What `llmflow serve-llm` starts. Several of one name are replicas; their ports differ."""
    replicas: tuple[str, ...] = ()
    """Addresses of servers that somebody else starts, as http://host:8000."""
    adapters: str = ""
    """Folder of registered adapters; the model servers must see it under the same path. Empty: `adapters` of the workspace."""
    gateway: GatewaySettings = GatewaySettings()
    supervision: SupervisionSettings = SupervisionSettings()

    @model_validator(mode="after")
    def _ports_differ(self) -> "ServingSettings":
        addresses = [server.address for server in self.servers]
        if len(set(addresses)) != len(addresses):
            raise ValueError(f"Two servers share an address: {sorted(addresses)}. Give each a port of its own.")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every replica of the chat model, ours first."""
        own = [server.address for server in self.servers if server.name == self.model and server.task == "chat"]
        return tuple(dict.fromkeys([*own, *(address.rstrip("/").removesuffix("/v1") for address in self.replicas)]))

    @property
    def adapters_folder(self) -> Path:
        return Path(self.adapters or home_path("adapters"))

    @property
    def base_folder(self) -> Path | None:
        """The base model's folder, where this machine has it."""
        return next((server.folder for server in self.servers if server.name == self.model), None)

    @property
    def max_lora_rank(self) -> int:
        return min((server.max_lora_rank for server in self.servers if server.name == self.model), default=512)
