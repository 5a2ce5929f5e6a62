"""Faults and scenarios on the wire: the server does what each says, and the rules tell right from wrong."""

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.faults import wire, wire_openai
from benchmarks.faults.socket_server import ReceivedRequest, SocketServer
from benchmarks.faults.wire_contenders import FOLDER, Contender, ContenderError, examine
from benchmarks.faults.wire_faults import FAULTS, TIMEOUT_SECONDS, WireCase
from benchmarks.faults.wire_openai import TEXT
from benchmarks.faults.wire_outcomes import Evidence, Outcome, is_clear, judge
from benchmarks.faults.wire_scenarios import SCENARIOS, USAGE
from tests.unit.benchmarks.faults.naive_model import exchange

REQUEST = ReceivedRequest("POST", "/v1/chat/completions", {}, b'{"messages":[{"role":"user","content":"?"}]}')
ANSWER = Outcome(0.1, text=TEXT, finish="stop", usage=USAGE)
PART = Outcome(0.1, text=TEXT[:20], finish="stop")
CLEAR = Outcome(0.1, error=("openai.APIError", "openai.OpenAIError"), message="it failed")
RAW = Outcome(0.1, error=("json.decoder.JSONDecodeError", "builtins.ValueError"), message="line 1 column 2")
BY_NAME = {case.name: case for case in (*FAULTS, *SCENARIOS)}
# What comes whole and at once to whoever only reads.
READABLE = sorted({case.name for case in FAULTS} - {"stall", "heartbeats", "slow_body", "reset"})


def evidence(*outcomes: Outcome, calls: int = 1, apart: float = 0.5, timeout: float = TIMEOUT_SECONDS) -> Evidence:
    return Evidence(outcomes, timeout, [REQUEST] * calls, [number * apart for number in range(calls)])


def said(case: WireCase) -> tuple[str, bytes]:
    with SocketServer(case.reply) as server:
        return asyncio.run(exchange("127.0.0.1", int(urlsplit(server.url).port or 0), "?", stream=case.stream))


def test_there_are_twenty_three_faults_and_sixteen_scenarios_with_names_of_their_own() -> None:
    assert len(FAULTS) == 23
    assert [scenario.name for scenario in SCENARIOS] == [f"S{number:02}" for number in range(1, 17)]
    assert len(BY_NAME) == 39


@pytest.mark.parametrize("name", READABLE)
def test_a_server_of_a_fault_never_says_the_whole_answer_as_it_should_be(name: str) -> None:
    first, body = said(BY_NAME[name])
    as_it_should = (
        wire_openai.joined(wire_openai.stream()) if BY_NAME[name].stream else json.dumps(wire_openai.completion())
    )
    assert not first.startswith("http/1.1 200") or body.decode() != as_it_should


@pytest.mark.parametrize("name", ["clean_end", "close_delimited_cut", "chunked_cut", "S08", "S14"])
def test_a_cut_stream_says_a_part_and_no_reason_to_stop(name: str) -> None:
    first, body = said(BY_NAME[name])
    assert first == "http/1.1 200 because"
    assert b'"finish_reason":"stop"' not in body
    assert body.count(b"data: ") > 5
    assert b"[DONE]" not in body


@pytest.mark.parametrize("name", ["malformed_body", "page", "short_body"])
def test_a_malformed_body_is_no_json_indeed(name: str) -> None:
    _, body = said(BY_NAME[name])
    with pytest.raises(ValueError, match=r"line|char"):
        json.loads(body)


def test_a_malformed_event_is_no_json_and_the_events_around_it_are() -> None:
    _, body = said(BY_NAME["malformed_event"])
    fit = []
    for event in body.decode().split("\n\n")[:-2]:
        try:
            json.loads(event.removeprefix("data: "))
            fit.append(True)
        except ValueError:
            fit.append(False)
    assert fit.count(False) == 1


@pytest.mark.parametrize("name", ["retry_after", "retry_after_ms", "unavailable_once", "S01", "S03", "S16"])
def test_what_fails_once_answers_when_it_is_asked_again(name: str) -> None:
    with SocketServer(BY_NAME[name].reply) as server:
        port = int(urlsplit(server.url).port or 0)
        first, _ = asyncio.run(exchange("127.0.0.1", port, "?", stream=False))
        second, body = asyncio.run(exchange("127.0.0.1", port, "?", stream=False))
    assert first != second == "http/1.1 200 because"
    assert json.loads(body)["choices"][0]["message"]["content"] == TEXT


def test_a_slow_body_is_whole_but_comes_over_many_times_the_time_allowed() -> None:
    from benchmarks.faults.socket_server import Send, Wait

    steps = list(BY_NAME["slow_body"].reply(REQUEST, 0))
    assert sum(step.seconds for step in steps if isinstance(step, Wait)) > 7 * TIMEOUT_SECONDS
    body = b"".join(step.data for step in steps if isinstance(step, Send)).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["choices"][0]["message"]["content"] == TEXT


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_part_that_ends_like_an_answer_is_never_right(case: WireCase) -> None:
    assert case.judge(evidence(PART, calls=2)) != ""


@pytest.mark.parametrize("case", [*FAULTS, *SCENARIOS], ids=lambda case: case.name)
def test_what_comes_too_late_or_raw_is_never_right(case: WireCase) -> None:
    outcomes = [RAW] * case.asks
    assert "raw json.decoder.JSONDecodeError" in case.judge(evidence(*outcomes, calls=1, timeout=case.timeout))
    if case.asks == 1:
        late = Outcome(case.timeout + 3, text=TEXT, finish="stop", usage=USAGE)
        assert case.judge(evidence(late, calls=2, apart=3, timeout=case.timeout)).startswith("ended after")


@pytest.mark.parametrize("case", [*FAULTS, *SCENARIOS], ids=lambda case: case.name)
def test_every_case_can_be_met(case: WireCase) -> None:
    candidates = [[ANSWER] * case.asks, [CLEAR] * case.asks, [CLEAR, CLEAR, *[ANSWER] * (case.asks - 2)]]
    verdicts = [
        case.judge(evidence(*outcomes, calls=calls, apart=2.5, timeout=case.timeout))
        for outcomes in candidates
        for calls in (1, 2, 24)
    ]
    assert "" in verdicts


@pytest.mark.parametrize("name", ["insufficient_quota", "credit_exhausted", "S12", "S13"])
def test_a_second_call_is_wrong_where_it_buys_nothing(name: str) -> None:
    assert BY_NAME[name].judge(evidence(CLEAR, calls=1)) == ""
    assert BY_NAME[name].judge(evidence(CLEAR, calls=2)) == "asked 2 times"


def test_a_wait_that_was_asked_for_must_be_kept() -> None:
    assert BY_NAME["retry_after"].judge(evidence(ANSWER, calls=2, apart=1.0)) == ""
    assert BY_NAME["retry_after"].judge(evidence(ANSWER, calls=2, apart=0.4)) == "asked again after 0.40 s"
    assert BY_NAME["S01"].judge(evidence(ANSWER, calls=2, apart=1.0, timeout=5)) == "asked again after 1.00 s"


def test_a_filtered_part_is_right_only_with_a_reason_that_tells() -> None:
    rule = judge(error=True, told=True)
    assert rule(evidence(Outcome(0.1, text="The", finish="content_filter"))) == ""
    assert rule(evidence(Outcome(0.1, text="The", finish=None))) == "a part passed for the answer"


def test_an_empty_answer_is_named_as_one() -> None:
    assert judge(error=True)(evidence(Outcome(0.1, text=""))) == "an empty answer passed for one"


@pytest.mark.parametrize(
    ("names", "clear"),
    [
        (("openai.APITimeoutError",), True),
        (("httpx.ReadError",), True),
        (("builtins.ConnectionResetError", "builtins.ConnectionError"), True),
        (("builtins.IndexError", "builtins.LookupError"), False),
        (("pydantic_core._pydantic_core.ValidationError", "builtins.ValueError"), False),
        ((), False),
    ],
)
def test_an_error_is_clear_unless_it_is_a_parsers(names: tuple[str, ...], clear: bool) -> None:
    assert is_clear(Outcome(0.1, error=names)) is clear


def test_usage_that_is_not_the_answers_is_wrong_where_it_is_counted() -> None:
    twice = Outcome(0.1, text=TEXT, finish="stop", usage=(2 * USAGE[0], 2 * USAGE[1]))
    assert BY_NAME["S16"].judge(evidence(twice, calls=2)).startswith("usage told as")
    assert BY_NAME["S16"].judge(evidence(ANSWER, calls=2)) == ""


def test_a_part_that_is_sent_back_to_be_continued_is_wrong() -> None:
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "The capital"}]
    continued = ReceivedRequest("POST", "/", {}, json.dumps({"messages": messages}).encode())
    seen = Evidence([ANSWER], TIMEOUT_SECONDS, [REQUEST, continued], [0.0, 0.1])
    assert BY_NAME["S14"].judge(seen) == "the part was sent back to be continued"


PROGRAM = """
import asyncio
import urllib.request

import harness


async def ask(call):
    if call.timeout > 100:
        raise SystemExit(3)
    with urllib.request.urlopen(call.url, data=b'{"stream": false}', timeout=call.timeout) as answer:
        import json
        body = json.load(answer)
    return harness.Told(body["choices"][0]["message"]["content"], "stop")


if __name__ == "__main__":
    harness.run("pytest", ask)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "harness.py").write_text((FOLDER / "harness.py").read_text())
    (tmp_path / "small_peer.py").write_text(PROGRAM)
    return tmp_path / "small_peer.py"


def test_a_contender_is_asked_in_a_process_of_its_own_and_told_apart_by_what_came(program: Path) -> None:
    with Contender("small", Path(sys.executable), program) as small:
        assert small.version

        def ask(url: str) -> Outcome:
            return small.ask(url, stream=False, timeout=1.5)

        case = BY_NAME["unavailable_once"]
        seen = examine(case, ask)
        assert seen.outcomes[0].error[0] == "urllib.error.HTTPError"
        assert case.judge(seen).startswith("gave up")
        seen = examine(BY_NAME["no_choices"], ask)
        assert BY_NAME["no_choices"].judge(seen) == "raw builtins.IndexError"
        assert len(seen.requests) == len(seen.arrivals) == 1


def test_a_contender_that_ends_is_told(program: Path) -> None:
    with Contender("small", Path(sys.executable), program) as small:
        started = time.monotonic()
        with pytest.raises(ContenderError, match="small ended with status"):
            small.ask("http://127.0.0.1:9", stream=False, timeout=999)
        assert time.monotonic() - started < 30


def test_a_contender_that_does_not_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken_peer.py").write_text("raise SystemExit('no such library')\n")
    with (
        pytest.raises(ContenderError, match="broken ended with status 1: no such library"),
        Contender("broken", Path(sys.executable), tmp_path / "broken_peer.py"),
    ):
        pass


def test_the_table_has_a_row_a_case_and_the_totals() -> None:
    cases = FAULTS[:2]
    scores = {"ours": wire.Score("1.0", {cases[0].name: "", cases[1].name: "asked 3 times"})}
    table = wire.to_markdown(scores, {"faults": cases})
    assert "| faults | ours 1.0 |" in table
    assert "| right | 1 of 2 |" in table
    assert table.count("asked 3 times") == 1
    assert wire.to_json(scores, {"faults": cases})["ours"]["right"] == {"faults": 1}


@pytest.mark.parametrize("arguments", [["--contenders", "nobody"], ["--groups", "nothing"], ["--cases", "S99"]])
def test_an_unknown_name_is_refused_with_those_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        wire.main(arguments)
    assert left.value.code == 2
    assert "known are" in capsys.readouterr().err
