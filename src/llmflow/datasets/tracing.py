"""The catalog entry of traces."""

from typing import Any

from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class TracerDataset(AdapterDataset):
    """`backend: none`; `mlflow` with `uri`; `otlp` with `endpoint`. `credentials: {uri, endpoint, headers}` go before them.

    The other keys are those of the adapter's settings: sample, content, every_s, waiting, experiment, keep_days, service.
    """

    def open(self, backend: str = "none", credentials: dict[str, str] | None = None, **settings: Any) -> Any:
        secret = {key: value for key, value in (credentials or {}).items() if value}
        if backend == "none":
            from llmflow.ports.tracing import NullTracer

            return NullTracer()
        if backend == "mlflow":
            from llmflow.adapters.mlflow_tracer import MlflowTraceSettings, mlflow_tracer

            settings["uri"] = secret.get("uri") or settings.get("uri", "")
            return mlflow_tracer(MlflowTraceSettings(**settings))
        if backend == "otlp":
            from llmflow.adapters.otlp_tracer import OtlpSettings, otlp_tracer

            settings["endpoint"] = secret.get("endpoint") or settings.get("endpoint", "")
            return otlp_tracer(OtlpSettings(**settings), secret.get("headers", ""))
        raise SettingsError(f"Unknown tracer backend '{backend}'. Choose one of: none, mlflow, otlp.")
