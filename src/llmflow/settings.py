"""Kedro's settings: where configuration lies and the resolver that places data."""

from kedro.config import OmegaConfigLoader

from llmflow.workspace import home_path

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**"]},
    "custom_resolvers": {"home": home_path},
}
