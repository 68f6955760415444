"""Kedro's settings: where configuration lies and the resolver that places data."""

import warnings

from kedro.config import OmegaConfigLoader

from llmflow.workspace import MERGE_STRATEGY, home_path

warnings.filterwarnings("ignore", message=".*register_new_resolver.*")  # Kedro's own call of a renamed function

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "merge_strategy": MERGE_STRATEGY,
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**"]},
    "custom_resolvers": {"home": home_path},
}
