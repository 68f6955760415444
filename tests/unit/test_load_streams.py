"""The clients of `benchmarks.load --vllm`: what they time and count, against a server that speaks as vLLM does."""

import asyncio

import pytest
from vllm_double import VllmDouble

from benchmarks.load_streams import Streams, System, closed_loop, open_loop, poisson_arrivals


def system(double: VllmDouble, people: int = 2, model: str = "chat") -> System:
    body = {"model": model, "messages": [{"role": "user", "content": "q"}], "stream": True}
    return System(f"{double.address}/v1/chat/completions", [{}] * people, lambda number: body)


def test_arrivals_are_the_same_for_the_same_seed_in_order_and_about_as_many_as_asked_for():
    due = poisson_arrivals(50, 20, seed=3)
    assert due == poisson_arrivals(50, 20, seed=3) == sorted(due)
    assert due != poisson_arrivals(50, 20, seed=4)
    assert 900 < len(due) < 1100 and due[0] > 0 and due[-1] < 20
    assert len(poisson_arrivals(0.001, 1, seed=1)) == 1


def test_every_arrival_is_asked_once_and_timed_from_when_it_was_due():
    double = VllmDouble()
    try:
        seen = asyncio.run(open_loop(system(double), [0.0, 0.0, 0.05]))
    finally:
        double.close()
    assert not seen.errors
    assert len(double.asked) == len(seen.ttft_ms) == seen.figures()["answers"] == 3
    assert all(0 < ttft / 1000 <= total for ttft, total in zip(seen.ttft_ms, seen.total_s, strict=True))


def test_each_person_asks_again_until_the_time_is_up_and_what_fails_is_an_error():
    double = VllmDouble()
    try:
        seen = asyncio.run(closed_loop(system(double, people=3), 0.3))
        refused = asyncio.run(closed_loop(system(double, people=1, model="unknown"), 0.05))
        double.ends_early, double.cut_after = True, 1
        cut = asyncio.run(closed_loop(system(double, people=1), 0.05))
    finally:
        double.close()
    assert not seen.errors and len(seen.ttft_ms) >= 3
    assert refused.errors and not refused.ttft_ms
    assert cut.errors and not cut.ttft_ms


def test_figures_by_hand():
    seen = Streams([10.0, 20.0, 30.0, 400.0], [1.0] * 4, [], [100, 200, 300, 400], 40, 2.0)
    figures = seen.figures()
    assert (figures["answers_per_s"], figures["tokens_per_s"], figures["at_once"]) == (2.0, 20.0, 2.0)
    assert (figures["ttft_p50_ms"], figures["ttft_p95_ms"], figures["prompt_tokens"]) == (25.0, 400.0, pytest.approx(250))
