"""Kedro's settings: where configuration lies and the resolver that places data."""

import warnings
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework.hooks import hook_impl

from llmflow.workspace import MERGE_STRATEGY, home_path

warnings.filterwarnings("ignore", message=".*register_new_resolver.*")  # Kedro's own call of a renamed function


class MaskedLogs:
    """Masks what a run logs from its first dataset on. conf/ cannot say so: Kedro takes formatters of `logging` only there."""

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        from llmflow.serving.operating.logs import configure_logging

        configure_logging()


HOOKS = (MaskedLogs(),)
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "merge_strategy": MERGE_STRATEGY,
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**"]},
    "custom_resolvers": {"home": home_path},
}
