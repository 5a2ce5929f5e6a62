"""Spans: what becomes whose child, wherever it runs, and where the whole goes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context

import pytest

from rag_engine import tracing
from rag_engine.errors import ParsingError
from rag_engine.tracing import Span
from rag_engine.tracing.spans import CHILDREN_KEPT, SPANS_KEPT


class Kept:
    """Keeps traces in a list."""

    def __init__(self, *, content: bool = False) -> None:
        self.content = content
        self.traces: list[Span] = []

    def keep(self, root: Span) -> None:
        self.traces.append(root)


@pytest.fixture
def kept() -> Iterator[Kept]:
    keeper = Kept()
    with tracing.kept_by(keeper):
        yield keeper


Tree = tuple[str, list["Tree"]]


def tree(span: Span) -> Tree:
    return span.name, [tree(child) for child in sorted(span.children, key=lambda child: child.started)]


def test_spans_within_spans_are_their_children_and_the_first_hands_over_the_whole(kept: Kept) -> None:
    with tracing.span("outer"):
        with tracing.span("first"), tracing.span("inner"):
            pass
        with tracing.span("second"):
            pass
        assert kept.traces == []
    (root,) = kept.traces
    assert tree(root) == ("outer", [("first", [("inner", [])]), ("second", [])])
    assert root.seconds >= sum(child.seconds for child in root.children) > 0


def test_the_trace_has_an_id_without_any_exporter_and_every_trace_another(kept: Kept) -> None:
    assert tracing.current_trace_id() == ""
    found = []
    for _ in range(2):
        with tracing.span("outer"):
            found.append(tracing.current_trace_id())
            with tracing.span("inner"):
                assert tracing.current_trace_id() == found[-1]
    assert len(set(found)) == 2
    assert all(len(identifier) == 32 and int(identifier, 16) for identifier in found)
    assert [root.trace.id for root in kept.traces] == found
    assert tracing.current_span() is None


def test_tasks_threads_and_awaits_keep_to_the_span_that_they_began_in(kept: Kept) -> None:
    def in_thread() -> None:
        with tracing.span("thread"), tracing.span("in thread"):
            pass

    async def leaf(name: str) -> None:
        with tracing.span(name):
            await asyncio.sleep(0)
            with tracing.span(f"in {name}"):
                await asyncio.sleep(0)
            await asyncio.to_thread(in_thread)

    async def whole() -> None:
        with tracing.span("outer"):
            await asyncio.gather(*(leaf(str(number)) for number in range(8)))
        assert tracing.current_span() is None

    asyncio.run(whole())
    (root,) = kept.traces
    assert root.name == "outer"
    assert len(root.children) == 8
    for child in root.children:
        assert tree(child) == (child.name, [(f"in {child.name}", []), ("thread", [("in thread", [])])])


def test_questions_asked_at_once_have_each_a_trace_of_their_own(kept: Kept) -> None:
    async def one(number: int) -> str:
        with tracing.span("ask"):
            await asyncio.sleep(0)
            with tracing.span(f"part {number}"):
                await asyncio.sleep(0)
            return tracing.current_trace_id()

    async def whole() -> list[str]:
        return await asyncio.gather(*map(one, range(5)))

    found = asyncio.run(whole())
    assert {root.trace.id: root.children[0].name for root in kept.traces} == {
        identifier: f"part {number}" for number, identifier in enumerate(found)
    }
    assert all(len(root.children) == 1 for root in kept.traces)


def test_an_error_leaves_its_code_or_class_and_never_its_text(kept: Kept) -> None:
    for error in (ParsingError("the text of a document"), ValueError("the text of a document")):
        with pytest.raises(type(error)), tracing.span("outer"), tracing.span("inner"):
            raise error
    assert [(root.error, root.children[0].error) for root in kept.traces] == [
        ("parsing", "parsing"),
        ("ValueError", "ValueError"),
    ]


def test_many_alike_spans_are_counted_one_by_one_no_more(kept: Kept) -> None:
    with tracing.span("ingest"):
        for number in range(CHILDREN_KEPT + 100):
            with tracing.span("batch") as batch, tracing.span("embed"):
                if number % 2:
                    batch.set_error("parsing")
    (root,) = kept.traces
    assert len(root.children) == CHILDREN_KEPT
    count, seconds, failed = root.alike["batch"]
    assert (count, failed) == (100, 50)
    assert seconds > 0


def test_a_trace_is_bounded_however_deep_it_branches(kept: Kept) -> None:
    with tracing.span("outer"):
        for _ in range(20):
            with tracing.span("a"):
                for _ in range(20):
                    with tracing.span("b"):
                        pass
    (root,) = kept.traces

    def count(span: Span) -> int:
        return 1 + sum(map(count, span.children))

    assert count(root) <= SPANS_KEPT + 1


def test_threads_that_end_spans_at_once_lose_none(kept: Kept) -> None:
    def work() -> None:
        for _ in range(200):
            with tracing.span("part"):
                pass

    with tracing.span("outer"):
        threads = [threading.Thread(target=copy_context().run, args=(work,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (root,) = kept.traces
    assert len(root.children) + root.alike["part"][0] == 1600


def test_a_task_that_outlives_its_trace_begins_one_of_its_own(kept: Kept) -> None:
    async def whole() -> None:
        go = asyncio.Event()

        async def later() -> None:
            await go.wait()
            with tracing.span("later"):
                pass

        with tracing.span("outer"):
            task = asyncio.create_task(later())
        go.set()
        await task

    asyncio.run(whole())
    assert [tree(root) for root in kept.traces] == [("outer", []), ("later", [])]


def test_a_generator_that_is_abandoned_in_another_context_raises_nothing(kept: Kept) -> None:
    async def pieces() -> AsyncIterator[int]:
        with tracing.span("stream"):
            yield 1
            yield 2

    async def whole() -> None:
        stream = pieces()
        await anext(stream)
        # As the event loop closes what nobody finished: in a context of its own.
        await asyncio.create_task(stream.aclose())  # type: ignore[attr-defined]

    asyncio.run(whole())
    assert [root.name for root in kept.traces] == ["stream"]


def test_without_a_keeper_nothing_is_collected() -> None:
    with tracing.span("outer") as outer, tracing.span("inner"):
        pass
    assert outer.children == []


def test_content_is_kept_only_where_that_was_wished() -> None:
    for content in (False, True):
        keeper = Kept(content=content)
        with tracing.kept_by(keeper), tracing.span("retrieval") as span:
            span.set_content("gen_ai.retrieval.query.text", "my question")
        assert ("my question" in str(keeper.traces[0].attributes)) is content


def test_a_span_loads_nothing_of_opentelemetry_where_nobody_listens() -> None:
    program = (
        "import sys\nfrom rag_engine import tracing\n"
        "tracing.configure_exporter(exporter='none', endpoint=None)\n"
        "with tracing.span('a'), tracing.chat_span(provider='openai', model='m'): pass\n"
        "print(sum(name.startswith('opentelemetry') for name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "0\n"
