"""Who is fit for a prompt: every check, what it lets pass and what it says of what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag_engine.llm.rate_limit import RateLimits
from rag_engine.types.conversation import ResponseSchema, Sampling, Tool
from rag_engine.types.generation import Prompt, Requirements
from rag_engine.types.models import Ability, ModelTask
from rag_engine.types.routing import Candidate, Check
from tests.unit.llm.router.made import PROMPT, Known, Spent, deployment, opened, order, route

TOOL = Tool(name="look_up", description="Looks something up.", parameters={"type": "object", "properties": {}})
SCHEMA = ResponseSchema(name="answer", schema={"type": "object"})


def requiring(**what: object) -> Prompt:
    return replace(PROMPT, requires=Requirements(**what))  # type: ignore[arg-type]


def left(candidates: tuple[Candidate, ...]) -> dict[str, Check | None]:
    return {candidate.deployment: candidate.failed for candidate in candidates}


def test_only_models_with_all_of_the_tags_are_asked() -> None:
    both = deployment("both", tags=["eu", "fast"])
    asked = route(deployment("none"), deployment("one", tags=["eu"]), both)
    prompt = requiring(tags=frozenset({"eu", "fast"}))
    assert order(asked, prompt) == ["both"]
    decision = asked.decide(prompt)
    assert left(decision.candidates) == {"both": None, "none": Check.TAGS, "one": Check.TAGS}
    assert "not tagged fast" in decision.candidates[-1].reason


def test_a_route_requires_what_it_requires_beside_what_the_prompt_does() -> None:
    asked = route(
        deployment("eu", tags=["eu"]), deployment("both", tags=["eu", "fast"]), deployment("fast", tags=["fast"]),
        requires=Requirements(tags=frozenset({"eu"})),
    )  # fmt: skip
    assert order(asked) == ["eu", "both"]
    assert order(asked, requiring(tags=frozenset({"fast"}))) == ["both"]


@pytest.mark.parametrize("from_route", [True, False])
def test_a_private_prompt_goes_to_no_remote_model_not_even_as_a_spare_one(from_route: bool) -> None:
    remote, near = deployment("remote"), deployment("near", local=True)
    spare = deployment("spare")
    asked = route(
        remote, near, for_longer=[spare], for_refused=[spare],
        requires=Requirements(local_only=from_route),
    )  # fmt: skip
    plan = asked.plan(PROMPT if from_route else requiring(local_only=True))
    assert list(plan.ranked) == [near]
    assert (list(plan.for_longer), list(plan.for_refused)) == ([], [])
    assert [(one.deployment, one.failed) for one in plan.left()] == [("remote", Check.PRIVACY)]


@pytest.mark.parametrize(
    ("prompt", "ability"),
    [
        (replace(PROMPT, tools=(TOOL,)), Ability.TOOLS),
        (replace(PROMPT, schema=SCHEMA), Ability.JSON_SCHEMA),
        (replace(PROMPT, content="", documents=True), Ability.DOCUMENTS),
    ],
)
def test_what_the_prompt_needs_the_model_can_do(prompt: Prompt, ability: Ability) -> None:
    asked = route(deployment("cannot"), deployment("can", abilities=[Ability.STREAMING, ability]))
    assert order(asked, prompt) == ["can"]
    (candidate,) = asked.plan(prompt).left()
    assert (candidate.failed, ability.value in candidate.reason) == (Check.ABILITIES, True)
    assert order(asked) == ["cannot", "can"], "a plain prompt needs nothing"


def test_documents_that_stand_in_the_text_as_well_are_asked_of_any_model() -> None:
    assert order(route(deployment("plain")), replace(PROMPT, documents=True)) == ["plain"]


def test_of_a_model_that_nobody_described_its_provider_says_what_it_can() -> None:
    assert order(route(deployment("new", known=False)), replace(PROMPT, tools=(TOOL,))) == ["new"]


def test_a_prompt_longer_than_a_window_goes_to_a_larger_one() -> None:
    long = Prompt.plain("word " * 5_000)
    asked = route(deployment("small", window=4_000), deployment("large", window=32_000))
    assert order(asked, long) == ["large"]
    (candidate,) = asked.plan(long).left()
    assert candidate.failed is Check.WINDOW
    assert "4000" in candidate.reason
    assert order(asked) == ["small", "large"]


def test_the_answer_needs_its_place_in_the_window_too() -> None:
    asked = route(deployment("small", window=4_000), deployment("large", window=32_000))
    prompt = Prompt.plain("word " * 1_000)
    assert order(asked, prompt) == ["small", "large"]
    assert order(asked, replace(prompt, sampling=Sampling(max_output_tokens=3_000))) == ["large"]


def test_a_window_that_may_be_too_small_is_tried_behind_those_that_are_not() -> None:
    asked = route(deployment("tight", window=4_000), deployment("large", window=32_000))
    prompt = Prompt.plain("word " * 2_500)
    assert order(asked, prompt) == ["large", "tight"]
    last = asked.decide(prompt).candidates[-1]
    assert (last.deployment, last.place, "may be too small" in last.reason) == ("tight", 2, True)
    assert order(route(deployment("tight", window=4_000)), prompt) == ["tight"], "rather than no answer"


def test_the_spare_ones_for_longer_prompts_are_asked_where_no_window_is_large_enough() -> None:
    long = Prompt.plain("word " * 5_000)
    spare = deployment("spare", window=200_000)
    asked = route(deployment("small", window=4_000), for_longer=[spare])
    assert order(asked, long) == ["spare"]
    assert asked.decide(long).chosen is not None
    assert order(asked) == ["small"]
    assert list(asked.plan(PROMPT).for_longer) == [spare]


def test_a_model_whose_tokens_cannot_be_counted_is_left_where_they_must_be() -> None:
    strange = deployment("strange")
    strange.profile = replace(strange.profile, tokenizer="/nowhere/tokenizer.json")
    asked = route(strange, deployment("other"))
    assert order(asked) == ["other"]
    assert "cannot be counted" in asked.plan(PROMPT).left()[0].reason


def test_a_quality_floor_leaves_those_below_it_and_those_of_which_nothing_is_known() -> None:
    asked = route(deployment("poor", fitness=0.4), deployment("good", fitness=0.8), deployment("unknown"))
    prompt = requiring(quality_floor=0.6)
    assert order(asked, prompt) == ["good"]
    assert left(asked.decide(prompt).candidates) == {"good": None, "poor": Check.QUALITY, "unknown": Check.QUALITY}
    assert order(asked) == ["poor", "good", "unknown"], "no floor, no check"


def test_the_prompts_floor_stands_in_place_of_the_routes() -> None:
    asked = route(deployment("poor", fitness=0.4), requires=Requirements(quality_floor=0.6))
    assert order(asked) == []
    assert order(asked, requiring(quality_floor=0.3)) == ["poor"]


def test_what_was_learnt_counts_for_the_floor_rather_than_the_profile() -> None:
    asked = route(
        deployment("better than said", fitness=0.4), deployment("worse than said", fitness=0.9),
        selector=Known({"scripted/better than said": 0.7, "scripted/worse than said": 0.2}),
    )  # fmt: skip
    assert order(asked, requiring(quality_floor=0.6)) == ["better than said"]


def test_the_floor_is_one_for_the_kind_of_work() -> None:
    asked = route(
        deployment("coder", fitness={ModelTask.CODE: 0.9}),
        deployment("writer", fitness={ModelTask.CREATIVE_WRITING: 0.9}),
    )
    assert order(asked, requiring(quality_floor=0.6, task=ModelTask.CODE)) == ["coder"]
    poem = replace(PROMPT, question="Write a poem about rain", requires=Requirements(quality_floor=0.6))
    assert order(asked, poem) == ["writer"]


def test_one_that_is_not_well_is_the_last_resort_and_so_is_one_at_its_limit() -> None:
    full = deployment("full", limits=RateLimits(concurrency=1))
    permit = full.limiter.acquire(input_tokens=1, output_tokens=1)
    asked = route(opened(deployment("ill")), full, deployment("well"))
    assert order(asked) == ["well", "ill", "full"]
    decision = asked.decide(PROMPT)
    assert [(one.deployment, one.place, one.failed) for one in decision.candidates] == [
        ("well", 1, None), ("ill", None, Check.HEALTH), ("full", None, Check.LIMITS),
    ]  # fmt: skip
    assert "server_error" in decision.candidates[1].reason
    assert not asked.plan(PROMPT).left(), "whoever is still asked is not left"
    assert not isinstance(permit, float)
    permit.released()
    assert order(asked) == ["full", "well", "ill"]


def test_one_that_is_neither_well_nor_within_its_budget_is_not_even_the_last_resort() -> None:
    asked = route(
        opened(deployment("ill", budget_per_day=1.0)), deployment("well"), ledger=Spent({"scripted/ill": 1.0})
    )
    assert order(asked) == ["well"]
    assert [(one.deployment, one.failed) for one in asked.plan(PROMPT).left()] == [("ill", Check.HEALTH)]


def test_the_first_check_that_fails_is_told() -> None:
    asked = route(opened(deployment("wrong in every way", window=2)))
    prompt = replace(requiring(tags=frozenset({"eu"}), local_only=True, quality_floor=0.9), tools=(TOOL,))
    assert asked.decide(prompt).candidates[0].failed is Check.TAGS


def test_where_nobody_is_fit_each_says_why() -> None:
    asked = route(deployment("remote"), deployment("near", local=True, window=2))
    plan = asked.plan(requiring(local_only=True))
    assert list(plan.ranked) == []
    assert [(one.deployment, one.failed) for one in plan.left()] == [
        ("remote", Check.PRIVACY), ("near", Check.WINDOW)
    ]  # fmt: skip
    assert asked.decide(requiring(local_only=True)).chosen is None


def test_a_thousand_deployments_are_chosen_among() -> None:
    asked = route(*(deployment(f"number {at}", tags=["last"] if at == 999 else []) for at in range(1_000)))
    assert order(asked, requiring(tags=frozenset({"last"}))) == ["number 999"]
    assert len(order(asked)) == len(asked.decide(PROMPT).candidates) == 1_000


def test_more_kinds_of_prompts_than_are_remembered_are_answered_alike() -> None:
    asked = route(deployment("one", fitness=0.5))
    for _ in range(2):
        found = [order(asked, requiring(quality_floor=at / 1_000)) for at in range(0, 1_000, 2)]
        assert found == [["one"] if at <= 500 else [] for at in range(0, 1_000, 2)]
