"""The gate for adapters: each check fails where its fault is planted, and only there."""

from dataclasses import replace

import pytest

from llmflow.evaluation.adapter_gate import (
    AdapterEvidence,
    AdapterGateSettings,
    DocumentMeasures,
    MemoryMeasures,
    ModelMeasures,
    judge_adapter,
)
from llmflow.evaluation.answers import AnswerScores
from llmflow.evaluation.frozen_suite import SuiteScores
from llmflow.evaluation.memorisation import Exposed, Secret
from llmflow.evaluation.text_scores import TaskScores

SIZE = 20
SETTINGS = AdapterGateSettings()


def model(
    name: str, loss: float = 1.0, crossed: float = 3.0, f1: float = 0.5, form: float = 1.0, text_loss: float = 5.0
) -> ModelMeasures:
    def each(value):
        return (value,) * SIZE

    scores = TaskScores(each(f1), each(f1), each(f1), each(f1), each(form))
    return ModelMeasures(name, each(loss), each(crossed), ("text",) * SIZE, scores, SuiteScores((1.0, 0.0), (text_loss,)))


def evidence(**changes) -> AdapterEvidence:
    base, champion, candidate = model("base", 2.0, 2.1, 0.1), model("champion"), model("candidate", 0.8, 3.0, 0.6)
    plain = AdapterEvidence(base, candidate, champion, ("ko",) * 10 + ("en",) * 10, 0, MemoryMeasures((), 0.0, 0.0))
    return replace(plain, **changes)


def failed(found: AdapterEvidence) -> set[str]:
    return {check.name for check in judge_adapter(found, SETTINGS) if not check.passed}


def test_a_better_adapter_passes_every_check():
    assert failed(evidence()) == set()


def test_each_fault_fails_its_own_check():
    candidate = evidence().candidate
    secret = Exposed(Secret("번호는 ", "12345678"), 7.0)
    faults = {
        "leakage": evidence(leaked=1),
        "answers follow questions": evidence(candidate=replace(candidate, crossed=candidate.losses)),
        "likelihood of held-out answers interval": evidence(candidate=replace(candidate, losses=(1.2,) * SIZE)),
        "format": evidence(candidate=replace(candidate, scores=replace(candidate.scores, format_valid=(0.5,) * SIZE))),
        "drift of texts": evidence(candidate=replace(candidate, suite=SuiteScores((1.0, 0.0), (5.5,)))),
        "frozen choices": evidence(candidate=replace(candidate, suite=SuiteScores((0.0, 0.0), (5.0,)))),
        "exposure of secrets": evidence(memory=MemoryMeasures((secret,), 0.0, 0.0)),
        "answers by heart": evidence(memory=MemoryMeasures((), 0.9, 0.1)),
        "rouge l": evidence(candidate=replace(candidate, scores=replace(candidate.scores, rouge_l=(0.3,) * SIZE))),
    }
    assert {name: failed(found) for name, found in faults.items()} == {name: {name} for name in faults}


def test_a_language_that_gets_worse_is_not_hidden_by_the_other():
    candidate = evidence().candidate
    f1 = (0.9,) * 10 + (0.3,) * 10
    assert failed(evidence(candidate=replace(candidate, scores=replace(candidate.scores, token_f1=f1)))) >= {"slice en"}


def test_answers_by_heart_that_were_not_trained_on_are_knowledge():
    assert failed(evidence(memory=MemoryMeasures((), 0.9, 0.9))) == set()


def test_secrets_are_not_written_into_verdicts():
    secret = Exposed(Secret("번호는 ", "12345678"), 7.0)
    reasons = " ".join(check.reason for check in judge_adapter(evidence(memory=MemoryMeasures((secret,), None, None)), SETTINGS))
    assert "12… (8 characters)" in reasons and "345678" not in reasons


@pytest.mark.parametrize(
    ("coverage", "leaks", "names"), [(0.9, 0, set()), (0.2, 0, {"answers over documents"}), (0.9, 1, {"leaks over documents"})]
)
def test_answers_over_documents_are_held_against_the_champion(coverage, leaks, names):
    def measures(share, leaks):
        scores = AnswerScores(4, None, 0.0, 0.0, 1.0, 1.0, share, share, leaks, faithful=1.0)
        return DocumentMeasures((share,) * 4, scores)

    documents = {"champion": measures(0.8, 0), "candidate": measures(coverage, leaks)}
    assert failed(evidence(documents=documents)) == names


def test_what_was_not_measured_is_said():
    (check,) = [check for check in judge_adapter(evidence(), SETTINGS) if check.name == "documents"]
    assert check.passed and check.value is None and "Not measured" in check.reason
