"""A route as a language model: answers, routes within routes, threads and loops, and routes that cannot be."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rag_engine.errors import AllModelsFailedError, ConfigurationError, NoModelFitsError, ServerError
from rag_engine.llm import ScriptedModel
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.router import STRATEGIES, RoutedModel, route_profile, strategy_named
from rag_engine.types.generation import CompletionDone, Prompt, Requirements, TextDelta
from rag_engine.types.routing import Check
from tests.unit.llm.router.made import NAMES, PROMPT, Spent, deployment, opened, order, route


def in_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """The test in an event loop of its own."""

    @functools.wraps(test)
    def run() -> None:
        async def awaited() -> None:
            await test()

        asyncio.run(awaited())

    return run


def failing(name: str) -> Deployment:
    def fail(prompt: Prompt) -> str:
        raise ServerError("it is down", provider="scripted", model=name)

    return deployment(name, model=ScriptedModel(fail, name=name))


def answering(name: str, **about: object) -> Deployment:
    return deployment(name, model=ScriptedModel(lambda prompt: f"from {name}", name=name), **about)  # type: ignore[arg-type]


def within(inner: RoutedModel, **about: object) -> Deployment:
    profile = route_profile(inner.deployments, name=inner.name.removeprefix("route/"))
    return deployment(f"{profile.name} within", model=inner, described=profile, **about)  # type: ignore[arg-type]


def test_a_route_is_called_after_its_name() -> None:
    assert route(deployment("one")).name == "route/test"


@in_a_loop
async def test_the_first_that_answers_answers() -> None:
    asked = route(failing("down"), answering("up"))
    completion = await asked.complete(PROMPT)
    assert completion.text == "from up"
    assert [attempt.deployment for attempt in completion.attempts][-1] == "up"


@in_a_loop
async def test_a_stream_comes_from_the_first_that_answers() -> None:
    events = [event async for event in route(failing("down"), answering("up")).stream(PROMPT)]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "from up"
    assert isinstance(events[-1], CompletionDone)


@in_a_loop
async def test_where_all_fail_each_says_how_and_where_none_fits_each_says_why() -> None:
    asked = route(failing("one"), failing("two"), deployment("three", window=2))
    with pytest.raises(AllModelsFailedError) as failed:
        await asked.complete(PROMPT)
    assert {name for name, _ in failed.value.causes} == {"one", "two", "three"}
    with pytest.raises(NoModelFitsError) as unfit:
        await asked.complete(replace(PROMPT, requires=Requirements(local_only=True)))
    assert {name for name, _ in unfit.value.causes} == {"one", "two", "three"}
    assert all("must not leave the machine" in str(cause) for _, cause in unfit.value.causes)


@in_a_loop
async def test_a_route_within_a_route_answers_and_what_the_outer_requires_holds_there() -> None:
    near, remote = answering("near", local=True), answering("remote")
    inner = RoutedModel(name="inner", deployments=[remote, near])
    outer = route(within(inner), requires=Requirements(local_only=True))
    completion = await outer.complete(PROMPT)
    assert completion.text == "from near"
    assert isinstance(remote.model, ScriptedModel)
    assert not remote.model.prompts


def test_a_route_within_a_route_is_fit_if_any_of_its_own_is() -> None:
    ill, well = opened(deployment("ill")), deployment("well")
    inner = RoutedModel(name="inner", deployments=[ill, well])
    outer = route(within(inner), deployment("other"))
    assert order(outer) == ["inner within", "other"]
    opened(well)
    assert order(outer) == ["other", "inner within"], "the last resort"
    decision = outer.decide(PROMPT)
    assert [(one.deployment, one.failed) for one in decision.candidates] == [
        ("other", None),
        ("inner within", Check.HEALTH),
    ]
    assert "ill: " in decision.candidates[1].reason
    assert "well: " in decision.candidates[1].reason


def test_a_route_within_a_route_is_left_where_none_of_its_own_fits() -> None:
    inner = RoutedModel(name="inner", deployments=[deployment("a", window=2), deployment("b", tags=["eu"], window=2)])
    outer = route(within(inner), deployment("other"))
    assert order(outer) == ["other"]
    (candidate,) = outer.plan(PROMPT).left()
    assert candidate.failed is Check.WINDOW
    inner = RoutedModel(name="inner", deployments=[deployment("a", window=2)], for_longer=[deployment("long")])
    assert order(route(within(inner))) == ["inner within"]


@pytest.mark.parametrize("strategy", NAMES)
def test_routes_within_routes_within_routes(strategy: str) -> None:
    asked = route(deployment("deep"), strategy=strategy)
    for depth in range(20):
        asked = RoutedModel(name=f"depth {depth}", deployments=[within(asked)], strategy=strategy)
    assert order(asked) == ["depth 18 within"]
    assert asked.models == {"scripted/deep"}


def test_a_budget_of_a_route_within_a_route_is_held_against_all_of_its_models() -> None:
    inner = RoutedModel(name="inner", deployments=[deployment("a"), deployment("b")])
    held = within(inner, budget_per_day=1.0)
    assert order(route(held, ledger=Spent({"scripted/a": 0.4, "scripted/b": 0.4}))) == ["inner within"]
    assert order(route(held, ledger=Spent({"scripted/a": 0.6, "scripted/b": 0.6}))) == []


def test_routes_that_cannot_be_are_refused_with_the_mend() -> None:
    one = deployment("one")
    inner = RoutedModel(name="test", deployments=[one])
    middle = RoutedModel(name="middle", deployments=[within(inner)])
    for wrong, about in (
        (route, "route 'test' has no deployments"),
        (lambda: route(one, one), "names deployment 'one' twice"),
        (lambda: route(one, deployment("one")), "two deployments called 'one'"),
        (lambda: route(one, for_longer=[deployment("one")]), "two deployments called 'one'"),
        (lambda: route(within(inner)), "would ask itself, through test within"),
        (lambda: route(within(middle)), "would ask itself, through middle within and test within"),
        (lambda: route(one, for_refused=[within(middle)]), "would ask itself"),
        (lambda: route(one, strategy="best"), "there is no strategy 'best'"),
        (lambda: route(deployment("none", weight=0.0)), "cannot have weight 0.0"),
        (lambda: route(deployment("none", weight=float("nan"))), "cannot have weight nan"),
        (lambda: RoutedModel(name="", deployments=[one]), "cannot be called ''"),
    ):
        with pytest.raises(ConfigurationError, match=about) as refused:
            wrong()
        assert refused.value.hint


def test_the_same_deployment_may_be_a_spare_one_too() -> None:
    one = deployment("one")
    assert route(one, for_longer=[one], for_refused=[one]).deployments == (one,)


def test_every_strategy_is_known_by_its_name() -> None:
    assert tuple(STRATEGIES) == NAMES
    assert [strategy_named(name).name for name in NAMES] == list(NAMES)


@in_a_loop
async def test_closing_closes_every_model_once_also_where_one_cannot_be() -> None:
    closed: list[str] = []

    class Closing(ScriptedModel):
        async def aclose(self) -> None:
            closed.append(self.name)
            if self.name == "bad":
                raise OSError("it does not close")

    spare = deployment("spare", model=Closing(name="spare"))
    asked = route(deployment("bad", model=Closing(name="bad")), deployment("plain"), spare, for_longer=[spare])
    with pytest.raises(OSError, match="does not close"):
        await asked.aclose()
    assert closed == ["bad", "spare"]


@pytest.mark.parametrize("strategy", NAMES)
def test_twenty_threads_plan_while_breakers_open_and_close(strategy: str) -> None:
    members = [deployment(f"{at}", fitness=0.5) for at in range(12)]
    asked = route(*members, strategy=strategy)
    names = sorted(one.name for one in members)
    done = threading.Event()

    def flip() -> None:
        while not done.is_set():
            for one in members:
                permit = one.breaker.acquire()
                if permit is not None:
                    permit.failed(cause="server_error", cool_down=0.001)

    def plan(number: int) -> None:
        for at in range(60):
            assert sorted(order(asked)) == names
            if at % 20 == number % 20:
                assert len(asked.decide(PROMPT).candidates) == len(members)
                asked.plan(PROMPT).left()

    flipper = threading.Thread(target=flip)
    flipper.start()
    try:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(plan, range(20)))
    finally:
        done.set()
        flipper.join()


def test_one_route_answers_in_several_loops_at_once() -> None:
    asked = route(answering("a"), answering("b"), strategy="weighted")

    async def many() -> list[str]:
        return [completion.text for completion in await asyncio.gather(*(asked.complete(PROMPT) for _ in range(50)))]

    with ThreadPoolExecutor(6) as pool:
        texts = [text for found in pool.map(lambda _: asyncio.run(many()), range(6)) for text in found]
    assert len(texts) == 300
    assert set(texts) == {"from a", "from b"}


@in_a_loop
async def test_a_cancelled_caller_leaves_no_task_and_no_call_behind() -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    class Endless:
        name = "endless"

        async def complete(self, prompt: Prompt) -> object:
            raise AssertionError("it streams")

        async def stream(self, prompt: Prompt) -> AsyncIterator[TextDelta]:
            try:
                begun.set()
                await asyncio.Event().wait()
                yield TextDelta("never")
            finally:
                ended.append("ended")

    one = deployment("endless", model=Endless())  # type: ignore[arg-type]
    before = asyncio.all_tasks()
    task = asyncio.create_task(route(one).complete(PROMPT))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
    assert ended == ["ended"]
    assert one.load.under_way == 0
