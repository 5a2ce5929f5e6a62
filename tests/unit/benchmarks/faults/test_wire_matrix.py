"""The matrix: enough cells for every provider, and a client in a hurry fails where it should."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.faults.wire_cells import Act, Cell, Place
from benchmarks.faults.wire_golden import KEY, Golden
from benchmarks.faults.wire_golden_openai import OPENAI
from benchmarks.faults.wire_matrix import CHAPTERS, GOLDEN, cells_of, main
from benchmarks.faults.wire_matrix_call import Call, run_cell
from tests.unit.benchmarks.faults.naive_model import NaiveModel

CELLS = {f"{chapter}/{cell.name}": cell for chapter, cell in cells_of(OPENAI)}


def naive(_golden: Golden, url: str, _deadline: float) -> NaiveModel:
    return NaiveModel(url)


def came(name: str, open_model: Any = naive) -> Call:
    return asyncio.run(run_cell(OPENAI, CELLS[name], open_model))


def test_every_provider_has_sixty_cells_at_least_each_under_a_name_of_its_own() -> None:
    assert [golden.provider for golden in GOLDEN] == [
        "openai",
        "azure",
        "anthropic",
        "google",
        "mistral",
        "cohere",
        "meta",
        "ollama",
    ]
    for golden in GOLDEN:
        names = [f"{chapter}/{cell.name}" for chapter, cell in cells_of(golden)]
        assert len(names) >= 60
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.provider)
def test_every_cell_says_what_is_right(golden: Golden) -> None:
    for _, cell in cells_of(golden):
        assert cell.whole or cell.errors or cell.act in (Act.CANCEL, Act.LEAVE), cell.name
        assert cell.at_least <= cell.calls, cell.name


@pytest.mark.parametrize("name", ["forms/untouched", "forms/byte_by_byte", "heads/without_length"])
def test_what_is_right_passes(name: str) -> None:
    assert came(name).amiss == []


@pytest.mark.parametrize("place", ["first", "half", "last"])
@pytest.mark.parametrize("way", ["ends", "cut", "closed"])
def test_a_part_of_a_stream_that_passes_for_an_answer_is_caught(way: str, place: str) -> None:
    call = came(f"ends/{way}_after_{place}")
    assert any(reason.startswith("answered") for reason in call.amiss)


@pytest.mark.parametrize("name", ["bodies/no_json", "bodies/answers_empty", "lengths/short_body"])
def test_a_parsers_exception_is_caught(name: str) -> None:
    assert any(reason.startswith("raw ") for reason in came(name).amiss)


@pytest.mark.parametrize(
    "name", ["bodies/output_tokens_negative", "bodies/output_tokens_nan", "bodies/output_tokens_fraction"]
)
def test_usage_that_cannot_be_is_caught(name: str) -> None:
    assert any(reason.startswith("usage ") for reason in came(name).amiss)


@pytest.mark.parametrize("name", ["paces/stall", "lengths/slow_body", "network/silence"])
def test_a_call_that_outlives_its_deadline_is_caught(name: str) -> None:
    cell = replace(CELLS[name], deadline=0.1)
    call = asyncio.run(run_cell(OPENAI, cell, naive))
    assert any("behind its deadline" in reason for reason in call.amiss)


def test_too_few_and_too_many_calls_are_caught() -> None:
    assert "asked 1 times only" in came("statuses/unavailable_once").amiss

    class Insistent(NaiveModel):
        async def complete(self, prompt: Any) -> Any:
            for _ in range(4):
                await self._body(prompt, stream=False)
            return await super().complete(prompt)

    call = came("statuses/refusal_no_money", lambda _golden, url, _deadline: Insistent(url))
    assert "asked 5 times, 1 allowed" in call.amiss


def test_a_key_in_an_error_is_caught() -> None:
    call = came("statuses/status_500", lambda _golden, url, _deadline: NaiveModel(url, key=KEY, say_key=True))
    assert "the key stands in the error" in call.amiss


def test_a_key_in_the_cause_of_an_error_is_caught() -> None:
    class Veiled(NaiveModel):
        async def complete(self, prompt: Any) -> Any:
            try:
                return await super().complete(prompt)
            except ValueError as error:
                raise RuntimeError("it failed") from error

    call = came("statuses/status_500", lambda _golden, url, _deadline: Veiled(url, key=KEY, say_key=True))
    assert "the key stands in the error" in call.amiss


def test_a_key_in_the_log_is_caught() -> None:
    import logging

    class Talkative(NaiveModel):
        async def complete(self, prompt: Any) -> Any:
            logging.getLogger("wire").debug("sent with %s", KEY)
            return await super().complete(prompt)

    call = came("heads/without_length", lambda _golden, url, _deadline: Talkative(url))
    assert "the key stands in the log" in call.amiss


def test_tasks_and_sockets_that_are_left_are_caught() -> None:
    kept = []

    class Leaking(NaiveModel):
        async def complete(self, prompt: Any) -> Any:
            kept.append(await asyncio.open_connection(self._url.hostname, self._url.port))
            kept.append(asyncio.ensure_future(asyncio.sleep(3600)))
            return await super().complete(prompt)

    async def measured() -> Call:
        call = await run_cell(OPENAI, CELLS["heads/without_length"], lambda _golden, url, _deadline: Leaking(url))
        for left in kept:
            if isinstance(left, asyncio.Future):
                left.cancel()
            else:
                left[1].close()
                await left[1].wait_closed()
        return call

    amiss = asyncio.run(measured()).amiss
    assert "1 tasks left" in amiss
    assert any("sockets left open" in reason for reason in amiss)


def test_a_caller_who_gives_up_is_let_go() -> None:
    call = came("network/given_up_before_head")
    assert call.amiss == []
    assert isinstance(call.raised, type(None))


def test_a_model_that_will_not_be_cancelled_is_caught() -> None:
    class Stubborn(NaiveModel):
        async def complete(self, prompt: Any) -> Any:
            try:
                return await super().complete(prompt)
            except asyncio.CancelledError:
                return None

    call = came("network/given_up_before_head", lambda _golden, url, _deadline: Stubborn(url))
    assert any("although it was cancelled" in reason for reason in call.amiss)


def test_a_request_that_follows_a_redirect_to_another_host_is_caught() -> None:
    seen = []

    class Following(NaiveModel):
        async def complete(self, prompt: Any) -> Any:
            import http.client

            connection = http.client.HTTPConnection(self._url.hostname, self._url.port)
            await asyncio.to_thread(connection.request, "POST", "/", b"{}")
            answer = await asyncio.to_thread(connection.getresponse)
            place = answer.headers["location"]
            seen.append(place)
            connection.close()
            other = NaiveModel(place)
            return await other.complete(prompt)

    call = came("network/redirect_307", lambda _golden, url, _deadline: Following(url))
    assert seen[0].startswith("http://127.0.0.1:")
    assert "the request went to another host" in call.amiss


def test_every_chapter_and_place_is_used() -> None:
    assert {name.partition("/")[0] for name in CELLS} == set(CHAPTERS)
    assert {cell.place for cell in CELLS.values()} == set(Place)
    assert {cell.act for cell in CELLS.values()} == set(Act)


def test_cells_are_made_anew_and_equal_but_for_their_scripts() -> None:
    def facts(cell: Cell) -> Cell:
        return replace(cell, reply=CELLS["network/silence"].reply)

    again = {f"{chapter}/{cell.name}": cell for chapter, cell in cells_of(OPENAI)}
    assert {name: facts(cell) for name, cell in again.items()} == {name: facts(cell) for name, cell in CELLS.items()}


def test_a_call_for_a_tool_that_is_none_is_caught() -> None:
    assert any(reason.startswith(("raw ", "answered")) for reason in came("tools/arguments_list").amiss)
    assert any(reason.startswith("calls for []") for reason in came("tools/call").amiss)


@pytest.mark.parametrize("arguments", [["--providers", "nobody"], ["--chapters", "nothing"]])
def test_an_unknown_name_is_refused_with_those_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "known are" in capsys.readouterr().err
