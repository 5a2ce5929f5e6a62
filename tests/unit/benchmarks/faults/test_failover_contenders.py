"""Contenders with a fallback: programs of their own, asked over two sockets, counted call by call."""

import sys
from pathlib import Path

import pytest

from benchmarks.faults import failover, failover_contenders
from benchmarks.faults.failover_contenders import BUFFERED, NAMES, PROGRAMS, examine, open_route
from benchmarks.faults.failover_providers import FULL, TEXT, Providers, Timing
from benchmarks.faults.failover_scenarios import FLAP_CALLS, SCENARIOS, Scenario
from benchmarks.faults.failover_verdicts import PRIMARY, Verdict
from benchmarks.faults.wire_contenders import FOLDER, Contender

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
SWIFT = Timing(first_word=0.1, stall=0.1, silence=0.1, down=0.3, apart=0.02, pace=0.0, first_word_limit=0.05)

PROGRAM = """
import asyncio
import json
import sys
import urllib.request

import failover_harness as harness


class Route:
    def __init__(self, setting):
        self.setting = setting

    async def ask(self):
        return await asyncio.to_thread(self.asked)

    def asked(self):
        try:
            return self.answer(self.setting.primary)
        except Exception:
            return self.answer(self.setting.fallback)

    def answer(self, url):
        body = json.dumps({"stream": False, "messages": [{"role": "user", "content": harness.QUESTION}]}).encode()
        with urllib.request.urlopen(url, data=body, timeout=self.setting.idle) as answer:
            answer = json.load(answer)
        usage = answer["usage"]
        text = answer["choices"][0]["message"]["content"]
        return harness.Told(text, answer["model"], (usage["prompt_tokens"], usage["completion_tokens"]))

    async def aclose(self):
        pass


async def open_route(setting):
    return Route(setting)


harness.run("pytest", open_route)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "failover_harness.py").write_text((FOLDER / "failover_harness.py").read_text())
    (tmp_path / "small_peer.py").write_text(PROGRAM)
    return tmp_path / "small_peer.py"


def test_a_contender_is_asked_over_two_sockets_and_its_calls_and_tries_are_counted(program: Path) -> None:
    with Contender("small", Path(sys.executable), program) as small:
        score = failover.scored(small, [BY_NAME["S04"], BY_NAME["S13"], BY_NAME["S12"]], SWIFT)
    assert score.verdicts == {"S04": Verdict.PASS, "S13": Verdict.PARTIAL, "S12": Verdict.PASS}
    assert score.shown["S04"].startswith("1 + 1 tries")
    assert "primary 503" in score.logs["S04"]


def test_calls_of_a_sequence_are_told_with_their_beginnings(program: Path) -> None:
    with Contender("small", Path(sys.executable), program) as small:
        what = examine(BY_NAME["S15"], small, SWIFT)
    assert len(what.calls) == FLAP_CALLS
    assert [call.began for call in what.calls] == sorted(call.began for call in what.calls)
    assert all(call.text == TEXT for call in what.calls)
    assert failover.judged(BY_NAME["S15"], what, SWIFT)[0] is Verdict.PASS


def test_who_hangs_is_told_so_in_time(program: Path) -> None:
    quick = Scenario("S00", "silence", "an end", BY_NAME["S06"].primary, longest=lambda _: 0.3)
    with Contender("small", Path(sys.executable), program) as small:
        what = examine(quick, small, Timing(silence=5.0, idle_limit=5.0))
    assert what.calls[0].hung
    assert failover.judged(quick, what, FULL) == (Verdict.FAIL, "nothing within 0.3 s")


def test_many_calls_at_once_are_counted_with_those_that_failed(program: Path) -> None:
    with (
        Contender("small", Path(sys.executable), program) as small,
        Providers(BY_NAME["S04"].primary, SWIFT) as providers,
    ):
        open_route(small, providers.url(PRIMARY), providers.url(PRIMARY), SWIFT)
        told = small.tell({"many": {"calls": 10, "at_once": 4, "seconds": 30}}, seconds=30)
    assert (told["calls"], told["answered"], told["failed"]) == (10, 0, 10)
    assert len(providers.arrivals) == 20


def test_every_contender_has_its_program_and_pinned_versions() -> None:
    for environment, program in PROGRAMS.values():
        assert (FOLDER / program).is_file()
        if environment != failover_contenders.OURS:
            requirements = (FOLDER / "requirements" / f"{environment}.txt").read_text().splitlines()
            assert all("==" in line for line in requirements)
    assert BUFFERED in NAMES
