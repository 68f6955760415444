"""The matrix as data, what follows from its numbers, and the page that shows it."""

import re
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from llmflow.errors import SettingsError
from llmflow.evaluation.answers import AnsweredQuestion, summarise_answers
from llmflow.evaluation.charts import Point, bar_chart, colour_of, frontier, interval_chart, line_chart, pareto_chart
from llmflow.evaluation.experiment_analysis import analyse_set, choose_condition, deltas_of, slices_of
from llmflow.evaluation.experiment_page import ExperimentReport, experiment_html
from llmflow.evaluation.experiments import (
    CHAMPION,
    DEPTHS,
    ConditionResult,
    ExperimentSettings,
    ResolvedCondition,
    SetResult,
    overlay,
    resolve_condition,
    resolve_conditions,
)
from llmflow.evaluation.gate import Decision, GateSettings, decide
from llmflow.evaluation.judged_sets import Evidence, JudgedQuestion
from llmflow.evaluation.metrics import evidence_ranks, latency_summary, measures_of_ranks
from llmflow.evaluation.mistakes import confident_mistakes
from llmflow.evaluation.retrieval_gate import Side, retrieval_checks
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.evaluation.retrieval_gate import candidate_settings
from llmflow.types import Answer, Citation, Principal, ScoredId

NOW = "2026-01-02T03:04:05+00:00"


def settings(**values) -> ExperimentSettings:
    return ExperimentSettings.model_validate(
        {"conditions": {"words": {"retrieval": {"channels": ["text"]}}, "ranks": {"retrieval": {"fusion": {"method": "rrf"}}}}}
        | values
    )


def question(number: int, kind: str = "single", language: str = "ko") -> JudgedQuestion:
    return JudgedQuestion(
        f"q{number:02}", f"질문 <{number}>?", language, kind, Principal("acme"),
        evidence=(Evidence("a.md", "quote"),), answer="forty", answerable=True,
    )  # fmt: skip


QUESTIONS = tuple(question(n, "single" if n % 2 else "multi", "ko" if n < 20 else "en") for n in range(40))


def condition_result(name: str, values: list[float], leaks: int = 0, milliseconds: float = 10.0) -> ConditionResult:
    retrieval = RetrievalSettings() if name == CHAMPION else RetrievalSettings(candidates=len(name))
    per_question = dict(zip((q.id for q in QUESTIONS), values, strict=True))
    measures = dict.fromkeys((*(f"R@{k}" for k in DEPTHS), "RR@10"), per_question)
    condition = ResolvedCondition(name, retrieval, PreparationSettings(), False)
    run = {q.id: [ScoredId("c", 1.0)] for q in QUESTIONS}
    return ConditionResult(condition, measures, run, leaks, {}, latency_summary([milliseconds]))


def set_result(**conditions: ConditionResult) -> SetResult:
    return SetResult("corpus", QUESTIONS, 12, {found.condition.name: found for found in conditions.values()})


EQUAL = [1.0, 0.5] * 20
BETTER = [1.0] * 38 + [0.5, 0.0]
WORSE = [1.0, 0.0] * 20


class TestSettings:
    def test_a_condition_changes_only_what_it_names(self):
        configured = RetrievalSettings(candidates=7, channels=("text", "dense"))
        champion, words, ranks = resolve_conditions(settings(), configured, RetrievalSettings(), PreparationSettings())
        assert (champion.name, champion.retrieval) == (CHAMPION, RetrievalSettings())
        assert (words.retrieval.channels, words.retrieval.candidates) == (("text",), 7)
        assert ranks.retrieval == configured.model_copy(update={"fusion": configured.fusion.model_copy(update={"method": "rrf"})})
        assert not any(condition.own_index for condition in (champion, words, ranks))

    def test_another_chunker_needs_an_index_of_its_own(self):
        found = settings(conditions={"small": {"preparation": {"chunker": {"target_tokens": 100, "overlap_tokens": 10}}}})
        small = resolve_condition("small", found, RetrievalSettings(), PreparationSettings())
        assert small.own_index and small.preparation.chunker.target_tokens == 100
        assert small.preparation.masking == PreparationSettings().masking

    def test_a_value_equal_to_the_default_counts_when_it_was_named(self):
        base = RetrievalSettings(candidates=7)
        assert overlay(base, RetrievalSettings(candidates=100)).candidates == 100
        assert overlay(base, RetrievalSettings()).candidates == 7

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"conditions": {"champion": {}}}, "meaning of their own"),
            ({"conditions": {"a": {"retrieval": {"chanels": []}}}}, "chanels"),
            ({"conditions": {"a": {"retrieval": {"fusion": {"methd": "rrf"}}}}}, "methd"),
            ({"candidate": "champion"}, "is no condition"),
            ({"candidate": "unknown"}, "is no condition"),
            ({"measure": "R@3"}, "choose one of"),
            ({"sets": {"mine": {}}}, "needs a path"),
            ({"sets": {"corpus": {"path": "x"}}}, "has none"),
            ({"sets": {"corpus": {"questions": 5}}}, "measured whole"),
            ({"sets": {"corpus": {"expected": {"gone": 0.5}}}}, "unknown conditions: gone"),
        ],
    )
    def test_what_is_wrong_is_named(self, values, says):
        with pytest.raises(ValidationError, match=says):
            settings(**values)

    def test_a_matrix_is_short_enough_to_be_a_parameter_of_a_run(self):
        many = {f"c{n}": {"retrieval": {"fusion": {"graph": n / 10}}} for n in range(20)}
        shown = str(settings(conditions=many))
        assert "'graph': 1.9" in shown and "damping" not in shown and len(shown) < 3000

    def test_an_unknown_condition_names_the_known_ones(self):
        with pytest.raises(SettingsError, match=r"'x'.*words, ranks"):
            resolve_condition("x", settings(), RetrievalSettings(), PreparationSettings())


class TestCandidates:
    def wanted(self, name: str) -> ExperimentSettings:
        return candidate_settings(SimpleNamespace(experiments=settings(sets={"x": {"path": "y"}})), name)  # type: ignore[arg-type]

    def test_a_condition_conf_or_a_file(self, tmp_path):
        (tmp_path / "fewer.yml").write_text("retrieval: {candidates: 9}")
        (tmp_path / "bare.json").write_text('{"candidates": 9}')
        words, conf = self.wanted("words"), self.wanted("conf")
        assert (list(words.conditions), words.candidate, list(words.sets)) == (["words"], "words", ["corpus"])
        base = RetrievalSettings(candidates=7)
        assert resolve_condition("conf", conf, base, PreparationSettings()).retrieval == base
        for name in ("fewer.yml", "bare.json"):
            found = self.wanted(str(tmp_path / name))
            resolved = resolve_condition(found.candidate, found, RetrievalSettings(channels=("text",)), PreparationSettings())
            assert resolved.retrieval == RetrievalSettings(channels=("text",), candidates=9)

    @pytest.mark.parametrize(
        ("text", "says"), [("chanels: [text]", "x.yml: chanels"), ("- a list", "a mapping"), ("a: [", "YAML or JSON")]
    )
    def test_a_wrong_file_is_named(self, tmp_path, text, says):
        (tmp_path / "x.yml").write_text(text)
        with pytest.raises(SettingsError, match=says):
            self.wanted(str(tmp_path / "x.yml"))

    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(SettingsError, match="conf, words, ranks"):
            self.wanted("wrods")


class TestMeasures:
    def test_ranks_of_evidence(self):
        evidence = (Evidence("a.md", "Quoted  text"), Evidence("b.md", "other"), Evidence("a.md", "missing"))
        hits = [("b.md", "Quoted text"), ("a.md", "some Quoted text here"), ("b.md", "an other one"), ("b.md", "other")]
        assert evidence_ranks(hits, evidence) == (2, 3, None)
        assert evidence_ranks([], evidence) == (None, None, None)

    def test_measures_of_ranks_by_hand(self):
        found = measures_of_ranks((2, 7, None, None), (1, 2, 10))
        assert found == {"R@1": 0.0, "R@2": 0.25, "R@10": 0.5, "RR@10": 0.5}
        assert measures_of_ranks((11,), (20,)) == {"R@20": 1.0, "RR@10": 0.0}
        assert measures_of_ranks((None,), (1,)) == {"R@1": 0.0, "RR@10": 0.0}


class TestAnalysis:
    def test_intervals_differences_and_holm(self):
        result = set_result(
            a=condition_result(CHAMPION, EQUAL), b=condition_result("words", BETTER), c=condition_result("ranks", EQUAL)
        )
        found = analyse_set(result, settings())
        assert found.rows[CHAMPION].comparison is None and found.rows[CHAMPION].p_holm is None
        better, equal = found.rows["words"], found.rows["ranks"]
        assert better.comparison is not None and equal.comparison is not None
        assert better.comparison.difference.mean == pytest.approx(0.2125)
        assert better.comparison.difference.low > 0
        assert (equal.comparison.p_value, equal.p_holm) == (1.0, 1.0)
        assert better.p_holm == pytest.approx(2 * better.comparison.p_value)  # the smallest of two
        assert found.slice_questions == {"language en": 20, "language ko": 20, "kind multi": 20, "kind single": 20}
        assert found.slices["kind multi"][CHAMPION].mean == 1.0  # even questions

    def test_slices_that_hold_everything_say_nothing(self):
        assert slices_of(tuple(question(n) for n in range(3))) == {}

    def test_expected_values(self):
        wanted = {"corpus": {"expected": {"words": 0.97, "ranks": 0.80, CHAMPION: 0.75}, "tolerance": 0.01}}
        found = analyse_set(
            set_result(
                a=condition_result(CHAMPION, EQUAL), b=condition_result("words", BETTER), c=condition_result("ranks", EQUAL)
            ),
            settings(sets=wanted),
        )
        assert [row.as_expected for row in found.rows.values()] == [True, True, False]
        assert [row.name for row in found.surprises] == ["ranks"]

    @pytest.mark.parametrize(
        ("words", "ranks", "chosen"),
        [(BETTER, WORSE, "words"), (WORSE, BETTER, "ranks"), (EQUAL, EQUAL, CHAMPION), (WORSE, WORSE, CHAMPION)],
    )
    def test_the_best_is_chosen_and_a_tie_changes_nothing(self, words, ranks, chosen):
        result = set_result(
            a=condition_result(CHAMPION, EQUAL), b=condition_result("words", words), c=condition_result("ranks", ranks)
        )
        choice = choose_condition(result, analyse_set(result, settings()), settings())
        assert choice.condition == chosen and choice.stays == (chosen == CHAMPION)
        assert "R@5" in choice.reason

    def test_of_two_equals_the_faster_is_chosen(self):
        slow, fast = condition_result("words", BETTER, milliseconds=30.0), condition_result("ranks", BETTER, milliseconds=9.0)
        result = set_result(a=condition_result(CHAMPION, EQUAL), b=slow, c=fast)
        assert choose_condition(result, analyse_set(result, settings()), settings()).condition == "ranks"

    def test_a_named_candidate_is_taken_and_none_leaves_the_gate_out(self):
        result = set_result(a=condition_result(CHAMPION, EQUAL), b=condition_result("words", WORSE))
        analysis = analyse_set(result, settings())
        assert choose_condition(result, analysis, settings(candidate="words")).condition == "words"
        assert choose_condition(result, analysis, settings(candidate="none")).stays

    def test_deltas_begin_with_the_greatest_gain(self):
        result = set_result(a=condition_result(CHAMPION, EQUAL), b=condition_result("words", BETTER))
        deltas = deltas_of(result, "words", "R@5")
        assert deltas[0].change == 0.5 and deltas[-1].change == -0.5
        assert deltas[-1].question.id == QUESTIONS[-1].id


def answered(found: bool, text: str = "It is forty. [1]", confidence: float = 0.9, **changes) -> AnsweredQuestion:
    asked = JudgedQuestion("x", "How many <b>?", "en", "single", Principal("acme"), answer="forty", **changes)
    cited = (Citation(1, "c", "d", "T", "a.md", None, "", "no quote"),) if found else ()
    return AnsweredQuestion(asked, Answer(text, found, cited, confidence=confidence))


class TestMistakes:
    def test_only_wrong_and_confident_answers_are_listed(self):
        evidence = (Evidence("b.md", "quote"),)
        right = answered(True, evidence=evidence)
        wrong = answered(True, "It is fifty. [1]", evidence=evidence)
        unsure = answered(True, "It is fifty. [1]", 0.4, evidence=evidence)
        invented = answered(True, "It is sixty. [1]", 0.95, answerable=False)
        refused = answered(False, "Nothing was found.", evidence=evidence)
        found = confident_mistakes([right, wrong, unsure, invented, refused], 0.6)
        assert [(item.said, item.confidence) for item in found] == [("It is sixty. [1]", 0.95), ("It is fifty. [1]", 0.9)]
        assert "does not hold" in found[0].why and "cites none" in found[1].why


class TestGate:
    def checks(self, candidate: ConditionResult, gate: GateSettings | None = None, sources=frozenset({"a.md"})):
        answers = summarise_answers([answered(True)])
        champion = Side(condition_result(CHAMPION, EQUAL), answers)
        found = retrieval_checks(QUESTIONS, sources, champion, Side(candidate, answers), "R@5", gate or GateSettings())
        return {check.name: check.passed for check in found}

    def test_a_better_one_passes_and_a_worse_one_fails(self):
        assert all(self.checks(condition_result("words", BETTER), GateSettings(slice_loss=0.2)).values())
        failed = {name for name, passed in self.checks(condition_result("words", WORSE)).items() if not passed}
        assert failed == {"R@5 interval", "slice kind single", "slice language en", "slice language ko"}

    def test_a_leak_fails(self):
        assert not self.checks(condition_result("words", BETTER, leaks=1))["leaks in retrieval"]

    def test_a_corpus_without_the_evidence_proves_nothing(self):
        found = self.checks(condition_result("words", EQUAL), sources=frozenset())
        assert [name for name, passed in found.items() if not passed] == ["evidence in the corpus"]

    def test_a_budget_is_kept(self):
        assert not self.checks(condition_result("words", EQUAL, milliseconds=99.0), GateSettings(max_p95_ms=50))["latency p95"]

    def test_other_passages_cannot_be_promoted(self):
        base = condition_result("words", BETTER)
        other = ResolvedCondition("words", RetrievalSettings(), PreparationSettings(), own_index=True)
        found = ConditionResult(other, base.per_question, base.run, 0, {}, base.latency)
        assert self.checks(found)["same passages"] is False


class TestPage:
    def page(self, **changes) -> str:
        result = set_result(a=condition_result(CHAMPION, EQUAL), b=condition_result("words", BETTER, leaks=2))
        found = settings(**changes)
        analysis = analyse_set(result, found)
        choice = choose_condition(result, analysis, found)
        answers = summarise_answers([answered(True)])
        sides = (Side(result.champion, answers), Side(result.conditions["words"], answers))
        checks = retrieval_checks(QUESTIONS, {"a.md"}, *sides, "R@5", found.gate)
        verdict = decide("retrieval settings", result.conditions["words"].condition.id, result.champion.condition.id, checks, NOW)
        assert verdict.decision is Decision.REJECT  # of the leaks
        mistakes = {CHAMPION: tuple(confident_mistakes([answered(True, "<i>no</i>", answerable=False)], 0.5)), "words": ()}
        report = ExperimentReport(found, (result,), (analysis,), choice, verdict, mistakes, NOW)
        return experiment_html("A <title>", report)

    def test_it_needs_nothing_outside_and_escapes_everything(self):
        page = self.page()
        assert "http" not in page and "<script" not in page and "@import" not in page and "url(" not in page
        for raw in ("<title>A <title>", "질문 <1>", "How many <b>", "<i>no</i>"):
            assert raw not in page
        assert "질문 &lt;39&gt;?" in page and "&lt;i&gt;no&lt;/i&gt;" in page

    def test_it_shows_what_an_engineer_looks_for(self):
        page = self.page(sets={"corpus": {"expected": {"words": 0.5}}})
        assert page.count("<svg") == 4  # differences, recall, Pareto, questions
        assert "REJECT" in page and "leaks in retrieval" in page and "Candidate: words." in page
        assert "candidates: 100 → 5" in page  # what the condition changes
        assert re.search(r"<td class=bad>50\.0</td>", page)  # not as expected
        assert "No wrong answer was given with confidence." in page
        assert "kind multi" in page and "language en" in page


class TestCharts:
    def test_the_frontier_keeps_what_nothing_beats(self):
        points = [Point("slow", 9, 50), Point("fast", 1, 40), Point("best", 5, 60), Point("twin", 5, 60), Point("bad", 6, 10)]
        assert [point.name for point in frontier(points)] == ["fast", "best"]

    def test_every_value_is_drawn_inside_the_picture(self):
        names = ["<a>", "b"]
        colours = colour_of(names)
        drawn = [
            line_chart({"<a>": [(1, 0.0), (5, 100.0)], "b": [(1, 100.0), (5, 100.0)]}, colours, "k", "%", "t"),
            pareto_chart([Point("<a>", 0.4, 0.0), Point("b", 300.0, 100.0)], colours, "ms", "%", "t"),
            pareto_chart([Point("b", 3.0, 88.0)], colours, "ms", "%", "t"),
            bar_chart([("<a>", 100.0), ("b", -100.0)] * 80, "t"),
            interval_chart({"<a>": (0.0, 0.0, 0.0), "b": (-50.0, -90.0, -1.0)}, colours, "t"),
        ]
        for picture in drawn:
            width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)[0])
            assert all(0 <= float(x) <= width for x in re.findall(r' c?x[12]?="([-\d.]+)"', picture))
            assert all(0 <= float(y) <= height for y in re.findall(r' c?y[12]?="([-\d.]+)"', picture))
            assert "<a>" not in picture and "nan" not in picture
