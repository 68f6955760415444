"""Two registered adapters side by side."""

from llmflow.evaluation.gate import verdict_from_json
from llmflow.ports import ModelVersion
from llmflow.serving.models.promotion import ModelPromotions


def compare_models(models: ModelPromotions, first: str, second: str) -> list[dict[str, str]]:
    """Return rows of `what`, `first`, `second`: what they are, training metrics, then each check of their verdicts.

    A dash stands where one of them has no value.
    """
    versions = (models.registry.version(first), models.registry.version(second))
    facts = [
        ("name", *(version.adapter.name for version in versions)),
        ("aliases", *(", ".join(version.aliases) or "-" for version in versions)),
        ("base", *(version.base_model for version in versions)),
        ("data snapshot", *(version.snapshot[:12] or "-" for version in versions)),
        ("rank", *(str(version.rank) for version in versions)),
        ("registered", *(version.created_at for version in versions)),
        ("verdict", *(version.verdict or "-" for version in versions)),
    ]
    columns = [_values(models, version) for version in versions]
    names = dict.fromkeys([*columns[0], *columns[1]])
    facts += [(name, columns[0].get(name, "-"), columns[1].get(name, "-")) for name in names]
    return [{"what": what, "first": one, "second": other} for what, one, other in facts]


def _values(models: ModelPromotions, version: ModelVersion) -> dict[str, str]:
    values = {f"training {name}": f"{value:.4g}" for name, value in version.metrics.items()}
    text = models.registry.verdict(version)
    if text:
        for check in verdict_from_json(text).checks:
            shown = "-" if check.value is None else f"{check.value:.4g}"
            values[f"gate {check.name}"] = f"{shown} {'passed' if check.passed else 'FAILED'}"
    return values
