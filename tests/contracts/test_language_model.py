"""What every LanguageModel must do; a new one is added to ``models``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from rag_engine.embedding import DEFAULT_MODEL, CachedEmbedder, SentenceTransformerEmbedder, find_model
from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import ServerError
from rag_engine.llm import ExtractiveModel
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy, RetryBudget
from rag_engine.llm.providers.scripted import BrokenOff, ScriptedModel
from rag_engine.llm.router import RoutedModel
from rag_engine.prompt_engineering import PromptBuilder, resolve_citations
from rag_engine.protocols import LanguageModel
from rag_engine.token_counter import EstimatedTokenizer
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    CompletionEvent,
    FinishReason,
    Prompt,
    ReasoningDelta,
    StreamRestarted,
    TextDelta,
)
from rag_engine.types.models import ModelProfile
from rag_engine.types.retrieval import Passage

STORED = {
    "tower": "The tower is 324 metres tall. It was built in 1889 by the company of Gustave Eiffel.",
    "bridge": "The bridge opened in 1932. Its arch spans 503 metres.",
}


def split(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S[^.]*\.", text)]


def extractive() -> LanguageModel:
    embedder = CachedEmbedder(SentenceTransformerEmbedder(files=find_model(DEFAULT_MODEL)))
    return ExtractiveModel(embedder=embedder, split_sentences=split)


def scripted() -> LanguageModel:
    return ScriptedModel()


PROFILE = ModelProfile(provider="local", name="m", window=10_000, max_output=1_000, tokenizer="estimate")
NEVER = BreakerPolicy(least_calls=1_000_000)


def routed() -> LanguageModel:
    """A route whose first model fails at every call, and its second midway."""
    fails = ScriptedModel(lambda _: ServerError("it is down"), name="fails")
    breaks = ScriptedModel(lambda _: BrokenOff("The tower is", ServerError("it went down")), name="breaks")
    return RoutedModel(
        name="contract",
        deployments=[
            Deployment(
                name=model.name, model=model, profile=PROFILE, given_breaker=CircuitBreaker(model.name, policy=NEVER)
            )
            for model in (fails, breaks, scripted())
        ],
        failover=FailoverHandler(
            policy=FailoverPolicy(retry=RetryPolicy(attempts=1)), budget=RetryBudget(share=10.0, burst=1_000.0)
        ),
    )


@pytest.fixture(scope="module", params=[extractive, scripted, routed], ids=lambda make: make.__name__)
def model(request: pytest.FixtureRequest) -> LanguageModel:
    make: Callable[[], LanguageModel] = request.param
    return make()


def prompt(question: str, *documents: str) -> Prompt:
    passages = [
        Passage(rank, 1 / rank, document, document.title(), rank, 0, len(STORED[document]), STORED[document])
        for rank, document in enumerate(documents, start=1)
    ]
    return PromptBuilder(tokenizer=EstimatedTokenizer(), context_tokens=1000).build(question, passages)


QUESTIONS = [
    prompt("How tall is the tower?", "tower", "bridge"),
    prompt("When did the bridge open?", "tower", "bridge"),
    prompt("What do otters eat in winter?", "bridge"),
    prompt("How tall is the tower?"),
]


@pytest.fixture(scope="module", params=range(len(QUESTIONS)))
def asked(request: pytest.FixtureRequest, model: LanguageModel) -> tuple[Prompt, Completion]:
    question = QUESTIONS[request.param]
    return question, asyncio.run(model.complete(question))


def test_a_completion_has_text_and_names_its_model(asked: tuple[Prompt, Completion], model: LanguageModel) -> None:
    assert asked[1].text.strip()
    assert model.name
    assert asked[1].model


def test_confidence_is_a_share_or_absent(asked: tuple[Prompt, Completion]) -> None:
    assert asked[1].confidence is None or 0 <= asked[1].confidence <= 1


def test_tokens_and_costs_are_never_negative(asked: tuple[Prompt, Completion]) -> None:
    usage = asked[1].usage
    assert usage.input_tokens >= 0
    assert usage.output_tokens > 0
    assert usage.cost is None or usage.cost >= 0


def test_every_quotation_can_be_proven_against_the_stored_text(asked: tuple[Prompt, Completion]) -> None:
    citations = resolve_citations(asked[1], asked[0], text_of=STORED.get)
    assert all(STORED[one.document][one.start : one.end] == one.text for one in citations)
    assert len(citations) >= len(set(asked[1].quotations))


def test_an_abstention_quotes_nothing(asked: tuple[Prompt, Completion]) -> None:
    assert asked[1].finish_reason is not FinishReason.ABSTAINED or not asked[1].quotations


def test_an_answered_question_is_answered_and_one_without_sources_is_not(model: LanguageModel) -> None:
    answered = asyncio.run(model.complete(QUESTIONS[0]))
    assert answered.finish_reason is FinishReason.STOP
    assert "324" in answered.text
    assert asyncio.run(model.complete(QUESTIONS[3])).finish_reason is FinishReason.ABSTAINED


def test_many_prompts_at_once_get_the_answers_they_get_alone(model: LanguageModel) -> None:
    async def together() -> list[Completion]:
        return list(await asyncio.gather(*(model.complete(question) for question in QUESTIONS * 3)))

    alone = [asyncio.run(model.complete(question)) for question in QUESTIONS]
    assert [said(one) for one in asyncio.run(together())] == [said(one) for one in alone * 3]


@pytest.fixture(scope="module", params=range(len(QUESTIONS)))
def streamed(request: pytest.FixtureRequest, model: LanguageModel) -> tuple[Completion, list[CompletionEvent]]:
    async def both() -> tuple[Completion, list[CompletionEvent]]:
        question = QUESTIONS[request.param]
        return await model.complete(question), [event async for event in model.stream(question)]

    return asyncio.run(both())


def test_a_stream_ends_with_the_whole_and_nothing_comes_after_it(
    streamed: tuple[Completion, list[CompletionEvent]],
) -> None:
    *deltas, last = streamed[1]
    assert isinstance(last, CompletionDone)
    assert not any(isinstance(delta, CompletionDone) for delta in deltas)


def said(completion: Completion) -> Completion:
    """The completion without the attempts on the way to it, which take other times."""
    return replace(completion, attempts=())


def test_the_deltas_since_the_beginning_or_the_last_restart_add_up_to_the_whole(
    streamed: tuple[Completion, list[CompletionEvent]],
) -> None:
    *deltas, last = streamed[1]
    restarts = [number for number, event in enumerate(deltas) if isinstance(event, StreamRestarted)]
    deltas = deltas[restarts[-1] + 1 :] if restarts else deltas
    assert isinstance(last, CompletionDone)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == last.completion.text
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)) == last.completion.reasoning
    assert all(delta.text for delta in deltas if isinstance(delta, TextDelta | ReasoningDelta))


def test_a_stream_makes_the_answer_that_the_whole_is(streamed: tuple[Completion, list[CompletionEvent]]) -> None:
    completion, events = streamed
    assert isinstance(events[-1], CompletionDone)
    assert said(events[-1].completion) == said(completion)
