"""Tasks of lm-evaluation-harness over data that is here: what else a model could do before it was tuned.

The harness knows thousands of tasks by name and fetches their data from a hub. In a closed network a task is a YAML file of one's
own beside its data, in the folder `include`; names of the harness work where their data lie in the cache.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from llmflow.errors import DatasetError, MissingDependency
from llmflow.evaluation.adapter_gate import HarnessSettings
from llmflow.workspace import project_path

PREFERRED = ("acc_norm", "acc", "exact_match", "f1")


def harness_scores(base: str, adapter: str | None, settings: HarnessSettings) -> dict[str, float]:
    """Return one share a task: the first of acc_norm, acc, exact_match, f1 that it reports. Empty without tasks.

    Raises MissingDependency without the package, DatasetError for a task that is unknown, without data or without such a share.
    """
    if not settings.tasks:
        return {}
    import torch

    try:
        harness, known = import_module("lm_eval"), import_module("lm_eval.tasks")
    except ModuleNotFoundError as exc:
        raise MissingDependency(
            f"promotion.harness.tasks needs lm-evaluation-harness ({exc.name} is missing). "
            "Install it: pip install 'llmflow[harness]'"
        ) from exc
    include = str(project_path() / Path(settings.include).expanduser()) if settings.include else None
    arguments: dict[str, Any] = {"pretrained": base, "dtype": "auto"} | ({"peft": adapter} if adapter else {})
    try:
        found = harness.simple_evaluate(
            model="hf",
            model_args=arguments,
            tasks=list(settings.tasks),
            task_manager=known.TaskManager(include_path=include, include_defaults=not include),
            limit=settings.limit or None,
            num_fewshot=settings.few_shot,
            batch_size=settings.batch,
            device="cuda" if torch.cuda.is_available() else "cpu",
            bootstrap_iters=0,
            log_samples=False,
        )
    except (OSError, ValueError, KeyError, ConnectionError) as exc:
        raise DatasetError(
            f"The harness could not run {', '.join(settings.tasks)}: {exc}. Its data must lie on this machine: put the task's "
            "YAML file and its data into promotion.harness.include."
        ) from exc
    results: Mapping[str, Mapping[str, Any]] = found["results"] if found else {}
    return {name: _share(name, results.get(name, {})) for name in settings.tasks}


def _share(name: str, measures: Mapping[str, Any]) -> float:
    for wanted in PREFERRED:
        for key, value in measures.items():
            if key.partition(",")[0] == wanted and isinstance(value, int | float):
                return float(value)
    raise DatasetError(f"The task {name} reports none of {', '.join(PREFERRED)}: {', '.join(measures) or 'nothing'}.")
