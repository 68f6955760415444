"""Prometheus' text format as rows.

>>> read_metrics('# HELP asked Questions.\\n# TYPE asked counter\\nasked{channel="chat"} 3.0\\n')
[Sample(name='asked', labels='channel=chat', value=3.0, help='Questions.')]
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One value at the moment it was asked."""

    name: str
    labels: str
    value: float
    help: str


def read_metrics(text: str, prefix: str = "") -> list[Sample]:
    """Return counters and gauges whose name starts with `prefix`, sums and counts of histograms, in the order of the text."""
    from prometheus_client.parser import text_string_to_metric_families

    found = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith(prefix) and not sample.name.endswith(("_bucket", "_created")):
                labels = ", ".join(f"{key}={value}" for key, value in sample.labels.items())
                found.append(Sample(sample.name.removesuffix("_total"), labels, sample.value, family.documentation))
    return found
