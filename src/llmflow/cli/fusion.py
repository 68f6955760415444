"""`llmflow retrieval fit-fusion`: weights of the learned fusion from judged sets."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.common import Env, Json, opened_workspace, show


def fit_fusion(
    datasets: Annotated[list[Path], typer.Argument(help="Judged sets, fitted together: BEIR folders or KorQuAD json.")],
    env: Env = "base",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write weights and gains as JSON.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the questions, each answered by weights fitted on the others.")] = 5,
    c: Annotated[float, typer.Option("--c", min=1e-6, help="Inverse strength of the L2 penalty.")] = 1.0,
    drop_titles: Annotated[bool, typer.Option(help="Index the passages without their titles.")] = False,
    as_json: Json = False,
) -> None:
    """Fit the learned fusion, say by cross-validation what it gains on the one that is served, and print its settings."""
    with opened_workspace(env) as workspace:
        from llmflow.evaluation.fusion_fit import FusionFitSettings
        from llmflow.evaluation.judged_sets import load_judged_set
        from llmflow.serving.evaluation.fusion_fit import as_plain, describe_fit, write_fit
        from llmflow.serving.evaluation.fusion_fit import fit_fusion as fit
        from llmflow.serving.progress import log_progress

        sets = [load_judged_set(path, drop_titles) for path in datasets]
        with log_progress(quiet=as_json) as progress:
            found = fit(sets, workspace, FusionFitSettings(folds=folds, c=c), progress)
        if output:
            write_fit(output, found)
        show(as_plain(found), as_json, lambda: typer.echo(describe_fit(found)))
