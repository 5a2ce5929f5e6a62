"""Routes made of a file: what they share, what they are made of, and how they answer over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks.faults.socket_server import Close, ReceivedRequest, SocketServer, Step, whole
from rag_engine.errors import ConfigurationError, NoModelFitsError
from rag_engine.ledger import UsageLedger
from rag_engine.llm.routes import Routes, open_route_table, open_routes, read_routes
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Prompt, Requirements
from rag_engine.types.routing import Check

LIMITS = WireLimits(deadline=10.0, connect=2.0, first_byte=5.0, idle=5.0)


def answered(text: str) -> list[Step]:
    body = {
        "id": "a", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }  # fmt: skip
    return whole(200, json.dumps(body).encode())


def opened(written: str, *, environment: dict[str, str] | None = None, ledger: UsageLedger | None = None) -> Routes:
    return open_route_table(
        read_routes(written, file="routes.toml"), limits=LIMITS, environment=environment or {}, ledger=ledger
    )


def test_routes_that_name_one_deployment_share_it_and_one_transport() -> None:
    routes = opened(
        '[deployments.own]\nmodel = "vllm/m"\n'
        '[routes.a]\nmodels = ["own", "ollama/llama3.1"]\n[routes.b]\nmodels = ["ollama/llama3.1", "own"]\n'
    )
    first, second = routes["a"].deployments, routes["b"].deployments
    assert first[0] is second[1]
    assert first[1] is second[0]
    assert list(routes) == ["a", "b"]
    assert routes["route/a"] is routes["a"]
    assert routes.leads_to == {"a": ("own", "ollama/llama3.1"), "b": ("ollama/llama3.1", "own")}


def test_what_is_said_of_a_deployment_is_what_it_is_made_with() -> None:
    routes = opened(
        '[deployments.own]\nmodel = "vllm/m"\nweight = 3\norder = 2\ntags = ["eu"]\nconcurrency = 1\n'
        '[deployments.far]\nmodel = "vllm/m"\nbase_url = "http://models.example.com/v1"\n'
        '[deployments.declared]\nmodel = "vllm/m"\nbase_url = "http://10.0.0.7/v1"\nlocal = true\n'
        '[routes.a]\nmodels = ["own", "far", "declared"]\n'
    )
    own, far, declared = routes["a"].deployments
    assert (own.weight, own.order, own.tags, own.local) == (3.0, 2, frozenset({"eu"}), True)
    assert not far.local
    assert declared.local
    first = own.limiter.acquire(input_tokens=1, output_tokens=1)
    assert not isinstance(first, float)
    assert isinstance(own.limiter.acquire(input_tokens=1, output_tokens=1), float)


def test_an_inner_route_asks_only_what_the_outer_one_allows() -> None:
    written = (
        '[deployments.own]\nmodel = "vllm/m"\n[deployments.far]\nmodel = "vllm/m"\n'
        'base_url = "http://models.example.com/v1"\n'
        '[routes.inner]\nmodels = ["far", "own"]\n[routes.outer]\nmodels = ["route/inner"]\nlocal_only = true\n'
    )
    routes = opened(written)
    (candidate,) = routes["outer"].decide(Prompt.plain("Why?")).candidates
    assert candidate.place == 1
    alone = opened(written.replace('["far", "own"]', '["far"]'))
    (candidate,) = alone["outer"].decide(Prompt.plain("Why?")).candidates
    assert candidate.place is None
    with pytest.raises(NoModelFitsError, match="far"):
        asyncio.run(alone["outer"].complete(Prompt.plain("Why?")))


def test_a_deployment_without_its_key_does_not_keep_the_others_from_answering() -> None:
    with SocketServer(lambda request, number: answered("Because.")) as server:
        routes = opened(
            '[deployments.keyless]\nmodel = "openai/gpt-5.2"\nkey_variable = "KEY_OF_NOBODY"\n'
            f'[deployments.own]\nmodel = "vllm/m"\nbase_url = "{server.url}/v1"\n'
            '[routes.a]\nmodels = ["keyless", "own"]\n'
        )

        async def ask() -> None:
            async with routes:
                completion = await routes["a"].complete(Prompt.plain("Why?"))
            assert completion.text == "Because."
            assert [(one.deployment, one.outcome) for one in completion.attempts] == [("own", "stop")]
            left = routes["a"].decide(Prompt.plain("Why?")).candidates[-1]
            assert (left.deployment, left.failed, left.place) == ("keyless", Check.KEY, None)
            assert "KEY_OF_NOBODY" in left.reason

        asyncio.run(ask())


def test_where_no_key_is_there_the_error_names_the_variable_that_it_belongs_into() -> None:
    routes = opened(
        '[deployments.a]\nmodel = "openai/gpt-5.2"\nkey_variable = "KEY_OF_NOBODY"\n'
        '[routes.one]\nmodels = ["a"]\n[routes.two]\nmodels = ["a", "mistral/mistral-small-latest"]\n'
    )
    with pytest.raises(NoModelFitsError, match="openai") as raised:
        asyncio.run(routes["one"].complete(Prompt.plain("Why?")))
    assert "KEY_OF_NOBODY" in raised.value.public_message
    other = opened('[routes.two]\nmodels = ["openai/gpt-5.2", "mistral/mistral-small-latest"]\n')
    with pytest.raises(NoModelFitsError) as both:
        asyncio.run(other["two"].complete(Prompt.plain("Why?")))
    assert [name for name, _ in both.value.causes] == ["openai/gpt-5.2", "mistral/mistral-small-latest"]


def test_the_key_of_a_variable_goes_to_its_deployment_alone() -> None:
    with (
        SocketServer(lambda request, number: [Close(reset=True)]) as dead,
        SocketServer(lambda request, number: answered("Because.")) as well,
    ):
        routes = opened(
            f'[deployments.a]\nmodel = "openai/gpt-5.2"\nbase_url = "{dead.url}/v1"\nkey_variable = "ONE"\n'
            f'[deployments.b]\nmodel = "openai/gpt-5.2"\nbase_url = "{well.url}/v1"\n'
            '[routes.r]\nmodels = ["a", "b"]\n',
            environment={"ONE": "sk-one", "OPENAI_API_KEY": "sk-two"},
        )

        async def ask() -> None:
            async with routes:
                await routes["r"].complete(Prompt.plain("Why?"))

        asyncio.run(ask())
    assert {request.headers["authorization"] for request in dead.requests} == {"Bearer sk-one"}
    assert [request.headers["authorization"] for request in well.requests] == ["Bearer sk-two"]


def test_a_budget_without_a_ledger_is_refused_and_with_one_it_is_kept(tmp_path: Path) -> None:
    written = '[routes.r]\nmodels = ["openai/gpt-5.2"]\nbudget_per_day = 0.0\n'
    with pytest.raises(ConfigurationError, match=r"routes\.r"):
        opened(written)
    ledger = UsageLedger(tmp_path / "usage.sqlite")
    routes = opened(written, environment={"OPENAI_API_KEY": "sk-one"}, ledger=ledger)
    (candidate,) = routes["r"].decide(Prompt.plain("Why?")).candidates
    assert candidate.failed == "budget"
    ledger.close()


def test_tags_of_the_route_and_of_the_prompt_hold_both() -> None:
    routes = opened(
        '[deployments.a]\nmodel = "vllm/m"\ntags = ["eu"]\n[deployments.b]\nmodel = "vllm/m"\ntags = ["eu", "fast"]\n'
        '[routes.r]\nmodels = ["a", "b"]\ntags = ["eu"]\n'
    )
    prompt = Prompt.plain("Why?")
    assert [one.place for one in routes["r"].decide(prompt).candidates] == [1, 2]
    chosen = routes["r"].decide(
        Prompt(**{name: getattr(prompt, name) for name in ("question", "instructions", "content", "sources", "tokens")},
               requires=Requirements(tags=frozenset({"fast"})))
    ).chosen  # fmt: skip
    assert chosen is not None
    assert chosen.deployment == "b"


def test_a_thousand_deployments_are_opened_and_one_answers(tmp_path: Path) -> None:
    def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
        return answered("Because.")

    with SocketServer(reply) as server:
        file = tmp_path / "routes.toml"
        names = [f"d{number}" for number in range(1000)]
        file.write_text(
            "".join(
                f'[deployments.{name}]\nmodel = "vllm/m{name}"\nbase_url = "{server.url}/v1"\norder = {order}\n'
                f'tags = ["t{order % 7}"]\nrequests_per_minute = 60\n'
                for order, name in enumerate(names)
            )
            + f"[routes.all]\nmodels = {json.dumps(names)}\n"
        )
        started = time.perf_counter()
        routes = open_routes(file, limits=LIMITS)
        assert time.perf_counter() - started < 5.0

        async def ask() -> str:
            async with routes:
                return (await routes["all"].complete(Prompt.plain("Why?"))).model

        assert asyncio.run(ask())
        assert len(server.requests) == 1
