"""Runs one cell against our client, and says what is amiss with what came of it."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from benchmarks.faults.socket_server import ReceivedRequest, SocketServer
from benchmarks.faults.wire_cells import ATTEMPTS, MARGIN_SECONDS, MAX_BYTES, MAX_HEADER_BYTES, Act, Cell
from benchmarks.faults.wire_cells_tools import ARGUMENTS, TOOL_NAME
from benchmarks.faults.wire_golden import KEY, Golden
from benchmarks.faults.wire_openai import INPUT_TOKENS, OUTPUT_TOKENS, TEXT
from benchmarks.faults.wire_places import open_sockets, placed
from rag_engine.error_handler.signal import Phase
from rag_engine.errors import LanguageModelError
from rag_engine.types.conversation import Tool
from rag_engine.types.generation import Completion, CompletionDone, Prompt, TextDelta, UsageSource

QUESTION = "What is the capital of France?"
# Whoever is not back by then never is.
HANGS_SECONDS = 4.0
# No count of tokens is above.
MOST_TOKENS = 10**12
PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
WEATHER = Tool(TOOL_NAME, "Tells the weather.", PARAMETERS)
PHASES = {str(phase) for phase in Phase}


@dataclass
class Call:
    """What came of a cell: ``completion`` or ``raised``, after ``seconds``; ``amiss`` are its shortcomings."""

    seconds: float = 0.0
    completion: Completion | None = None
    raised: BaseException | None = None
    amiss: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """In a few words."""
        if self.raised is not None:
            return f"{type(self.raised).__name__}: {str(self.raised)[:160]}"
        if self.completion is None:
            return "nothing"
        return f"{self.completion.finish_reason} {str(self.completion.text)[:40]!r}"


class Recorded(logging.Handler):
    """Everything that is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one."""
        self.lines.append(self.format(record))


# Makes the model that is examined, from the provider's golden answers, an address without a path, and a deadline.
OpenModel: TypeAlias = Callable[[Golden, str, float], Any]


def our_model(golden: Golden, url: str, deadline: float) -> Any:
    """The engine's own client, with limits that fit into a cell."""
    from rag_engine.error_handler import RetryPolicy
    from rag_engine.llm import open_model
    from rag_engine.llm.providers.provider_data import provider_data
    from rag_engine.llm.transport import WireLimits

    limits = WireLimits(
        deadline=deadline,
        connect=0.5,
        first_byte=0.6,
        idle=0.5,
        max_bytes=MAX_BYTES,
        max_header_bytes=MAX_HEADER_BYTES,
    )
    policy = RetryPolicy(attempts=ATTEMPTS, first_wait=0.02)
    base_url = url + urlsplit(provider_data(golden.provider).base_url).path
    return open_model(golden.name, base_url=base_url, key=KEY, limits=limits, policy=policy)


async def run_cell(golden: Golden, cell: Cell, open_model: OpenModel = our_model) -> Call:
    """One cell with a model of its own."""
    sockets, recorded = open_sockets(), Recorded()
    root = logging.getLogger()
    level = root.level
    root.addHandler(recorded)
    root.setLevel(logging.DEBUG)
    call = Call()
    arrived: list[ReceivedRequest] = []
    complaints: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    try:
        with placed(cell) as (url, server, other):
            await _act(open_model(golden, url, cell.deadline), cell, server, call)
            arrived = list(server.requests)
            if other is not None and other.requests:
                call.amiss.append("the request went to another host")
    finally:
        root.setLevel(level)
        root.removeHandler(recorded)
    await _settled(call, sockets)
    if any(KEY in line for line in recorded.lines):
        call.amiss.append("the key stands in the log")
    call.amiss += [f"told the event loop: {context.get('message')}" for context in complaints]
    call.amiss += [*_of_calls(cell, call, arrived), *_of_outcome(golden, cell, call)]
    return call


async def _act(model: Any, cell: Cell, server: SocketServer, call: Call) -> None:
    started = time.monotonic()
    try:
        async with asyncio.timeout(HANGS_SECONDS):
            if cell.act is Act.CANCEL:
                started = await _cancelled(_asked(model, cell, call), server)
            else:
                if cell.act is Act.ASK_TWICE:
                    await _asked(model, cell, call)
                    await asyncio.sleep(0.2)
                    started = time.monotonic()
                await _asked(model, cell, call)
    except BaseException as error:  # noqa: BLE001 - whatever it is, is what is looked at
        call.raised = error
    call.seconds = time.monotonic() - started
    await model.aclose()


async def _asked(model: Any, cell: Cell, call: Call) -> None:
    prompt = Prompt.plain(QUESTION)
    if cell.tool:
        prompt = replace(prompt, tools=(WEATHER,))
    if not cell.stream:
        call.completion = await model.complete(prompt)
        return
    text = ""
    events = model.stream(prompt)
    async for event in events:
        if call.completion is not None and cell.act is Act.ASK:
            call.amiss.append("an event behind the end")
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, CompletionDone):
            call.completion = event.completion
        if cell.act is Act.LEAVE:
            await events.aclose()
            return
    if call.completion is None:
        call.amiss.append("the stream ended without an end and without an error")
    elif call.completion.text != text:
        call.amiss.append(f"the deltas say {text[:60]!r}, the end {call.completion.text[:60]!r}")


async def _cancelled(asking: Any, server: SocketServer) -> float:
    """When the caller gave up: once the request was there, and a moment more."""
    task = asyncio.ensure_future(asking)
    while not server.requests and not task.done():
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    started = time.monotonic()
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
        raise AssertionError("it went on although it was cancelled")
    return started


async def _settled(call: Call, sockets: int) -> None:
    current = asyncio.current_task()
    # Closing a transport takes a turn or two of the loop.
    for _ in range(20):
        left = [task for task in asyncio.all_tasks() if task is not current]
        if not left and open_sockets() <= sockets:
            return
        await asyncio.sleep(0.01)
    if left:
        call.amiss.append(f"{len(left)} tasks left")
    if open_sockets() > sockets:
        call.amiss.append(f"{open_sockets() - sockets} sockets left open")


def _of_calls(cell: Cell, call: Call, arrived: list[ReceivedRequest]) -> Iterator[str]:
    if len(arrived) > cell.calls:
        yield f"asked {len(arrived)} times, {cell.calls} allowed"
    if len(arrived) < cell.at_least:
        yield f"asked {len(arrived)} times only"
    if call.seconds > cell.deadline + MARGIN_SECONDS:
        yield f"ended {call.seconds - cell.deadline:.3f} s behind its deadline"
    told = call.completion if call.raised is None else call.raised
    attempts = getattr(told, "attempts", None)
    if attempts is None or cell.act is not Act.ASK:
        return
    if not attempts:
        yield "no attempts told"
    elif cell.counted and len(attempts) != len(arrived):
        yield f"{len(attempts)} attempts told of {len(arrived)}"


def _of_outcome(golden: Golden, cell: Cell, call: Call) -> Iterator[str]:
    if cell.act in (Act.CANCEL, Act.LEAVE):
        if call.raised is not None:
            yield f"raised {call.shown}"
    elif call.raised is not None:
        yield from _of_error(golden, cell, call.raised)
    elif call.completion is not None:
        yield from _of_answer(cell, call.completion)


def _of_error(golden: Golden, cell: Cell, error: BaseException) -> Iterator[str]:
    if not isinstance(error, LanguageModelError):
        yield f"raw {type(error).__module__}.{type(error).__name__}: {error}"
    else:
        if not isinstance(error, cell.errors):
            allowed = ", ".join(kind.__name__ for kind in cell.errors) or "no error"
            right = f"the answer or {allowed}" if cell.whole else allowed
            yield f"raised {type(error).__name__} ({str(error)[:200]}), right is {right}"
        if error.provider != golden.provider:
            yield f"names the provider {error.provider!r}"
        if error.phase not in PHASES:
            yield f"names the phase {error.phase!r}"
        if cell.request_id and error.request_id != cell.request_id:
            yield f"names the request {error.request_id!r}"
    shown = "".join(traceback.format_exception(error)) + "".join(repr(link) for link in _chain(error))
    if KEY in shown:
        yield "the key stands in the error"


def _of_answer(cell: Cell, completion: Completion) -> Iterator[str]:
    allowed = ", ".join(kind.__name__ for kind in cell.errors)
    if not cell.whole:
        yield f"answered {str(completion.text)[:60]!r}, right is {allowed}"
    elif cell.tool:
        calls = [(call.name, json.loads(call.arguments)) for call in completion.tool_calls]
        if calls != [(TOOL_NAME, ARGUMENTS)]:
            yield f"calls for {calls}"
    elif completion.text != TEXT:
        yield f"answered {str(completion.text)[:60]!r}, which is not the right answer"
    if cell.whole and cell.finish is not None and completion.finish_reason is not cell.finish:
        yield f"finished with {completion.finish_reason}, right is {cell.finish}"
    usage = completion.usage
    numbers = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    if any(type(number) is not int or not 0 <= number < MOST_TOKENS for number in numbers):
        yield f"usage {numbers}"
    if usage.cost is not None and not (math.isfinite(usage.cost) and usage.cost >= 0):
        yield f"cost {usage.cost}"
    reported = (usage.input_tokens, usage.output_tokens, usage.source)
    if cell.told and reported != (INPUT_TOKENS, OUTPUT_TOKENS, UsageSource.REPORTED):
        yield f"usage {reported}, told were {INPUT_TOKENS} and {OUTPUT_TOKENS}"
    if KEY in repr(completion):
        yield "the key stands in the answer"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__]
