"""What can happen to JSON on its way: any part of it replaced, dropped or sent twice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies

from rag_engine.llm.providers.dialect import Dialect, Framing, Target
from rag_engine.llm.transport import EventStream, JsonLines, ServerEvent
from rag_engine.types.generation import Completion, CompletionEvent, Prompt, ReasoningDelta, TextDelta

JSON_VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=4),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(max_size=4), inner),
    max_leaves=4,
)


def json_with(names: Sequence[str]) -> strategies.SearchStrategy[Any]:
    """Any JSON, texts with halves of characters too, whose objects have these names."""
    return strategies.recursive(
        strategies.none()
        | strategies.booleans()
        | strategies.integers()
        | strategies.floats()
        | strategies.text(strategies.characters(codec=None), max_size=5),
        lambda inner: (
            strategies.lists(inner, max_size=3)
            | strategies.dictionaries(strategies.sampled_from(names), inner, max_size=4)
        ),
        max_leaves=20,
    )


def read_events(
    dialect: Dialect, prompt: Prompt, target: Target, events: Iterable[ServerEvent]
) -> tuple[list[CompletionEvent], Completion]:
    """What becomes of events; all are fed, those behind the end too."""
    assembler = dialect.assembler(prompt, target)
    deltas: list[CompletionEvent] = []
    for event in events:
        deltas.extend(assembler.feed(event))
    return deltas, assembler.completion()


def assert_consistent(deltas: list[CompletionEvent], completion: Completion, *, whole: bool = False) -> None:
    """What was handed out piece by piece, unless it came ``whole``, is what the completion says, and all of it can be
    written down."""
    if whole:
        deltas = [TextDelta(completion.text), ReasoningDelta(completion.reasoning)]
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == completion.text
    thought = sorted("".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)))
    assert thought == sorted(completion.reasoning)
    completion.text.encode()
    completion.reasoning.encode()
    for call in completion.tool_calls:
        assert isinstance(json.loads(call.arguments), dict)
        assert call.id
        assert call.name
    for span in completion.cited:
        assert 0 <= span.start < span.end <= len(completion.text)
    usage = completion.usage
    assert 0 <= usage.reasoning_tokens <= usage.output_tokens
    assert 0 <= usage.cache_read_tokens + usage.cache_write_tokens <= usage.input_tokens


def events_of(raw: bytes, dialect: Dialect) -> list[ServerEvent]:
    """The events of a whole stream."""
    return (EventStream() if dialect.framing is Framing.SERVER_SENT_EVENTS else JsonLines()).feed(raw)


@strategies.composite
def damaged(draw: strategies.DrawFn, value: Any) -> Any:
    """The value with one part of it replaced by anything, or gone."""
    copied = deepcopy(value)
    path = draw(strategies.sampled_from(list(_paths(copied))))
    if not path:
        return draw(JSON_VALUES)
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    if draw(strategies.booleans()):
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw(JSON_VALUES)
    return copied


@strategies.composite
def damaged_events(draw: strategies.DrawFn, events: list[ServerEvent]) -> list[ServerEvent]:
    """A stream's events with one of them damaged, lost, sent twice, or cut off, or two of them swapped."""
    at = draw(strategies.integers(0, len(events) - 1))
    what = draw(strategies.sampled_from(["damage", "cut", "twice", "swap", "garbage"]))
    changed = list(events)
    if what == "damage" and changed[at].data.startswith("{"):
        body = draw(damaged(json.loads(changed[at].data)))
        name = draw(strategies.sampled_from([changed[at].name, ""]))
        changed[at] = ServerEvent(name, json.dumps(body))
    elif what == "cut":
        changed[at] = changed[at]._replace(data=changed[at].data[: draw(strategies.integers(0, len(changed[at].data)))])
    elif what == "twice":
        changed.insert(at, changed[at])
    elif what == "swap":
        other = draw(strategies.integers(0, len(events) - 1))
        changed[at], changed[other] = changed[other], changed[at]
    else:
        changed.insert(
            at, ServerEvent(draw(strategies.sampled_from(["", changed[at].name, "other"])), draw(strategies.text()))
        )
    return changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from _paths(inner, (*path, key))
