"""Citations, expected answers and refusals of the sample questions, by kind and language: python -m benchmarks.quotations

Over the workspace's corpus (`llmflow ingest data/sample/corpus` first), through the answerer that serves.
"""

from pathlib import Path

QUESTIONS = Path(__file__).parent.parent / "data" / "sample" / "questions.jsonl"
MEASURES = ("citation_precision", "citation_recall", "contains_answer", "refused_unanswerable", "wrongly_refused")


def main() -> None:
    from llmflow.cli.common import opened_workspace
    from llmflow.evaluation.answers import summarise_answers
    from llmflow.evaluation.judged_sets import load_sample_questions
    from llmflow.serving.evaluation.evaluate import answer_questions

    with opened_workspace("base") as workspace:
        answered = answer_questions(load_sample_questions(QUESTIONS), workspace.answerer)
    summary = summarise_answers(answered)
    lines = [item.answer.text.count("\n") + 1 for item in answered if item.answer.found]
    print(f"{'':16}{'n':>4} " + " ".join(f"{name:>20}" for name in MEASURES))
    for name, scores in {"all": summary.overall, **summary.by_kind, **summary.by_language}.items():
        values = (getattr(scores, measure) for measure in MEASURES)
        print(f"{name:16}{scores.questions:4} " + " ".join(f"{'-' if v is None else f'{100 * v:.1f}':>20}" for v in values))
    print(f"sentences of a given answer: {sum(lines) / max(1, len(lines)):.2f}")


if __name__ == "__main__":
    main()
