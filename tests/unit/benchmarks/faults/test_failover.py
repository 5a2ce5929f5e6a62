"""Scenarios with a fallback: the providers do what each says, and the rules tell the four verdicts apart."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from benchmarks.faults import failover
from benchmarks.faults.failover_faults import CUT_AFTER, STALL_AFTER
from benchmarks.faults.failover_providers import BRIEF, FULL, MODELS, TEXT, USAGE, WORDS, Providers, Timing, well
from benchmarks.faults.failover_scenarios import FLAP_CALLS, SCENARIOS, Scenario
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY, Arrival, Call, Seen, Verdict, verdict_on
from tests.unit.benchmarks.faults.naive_model import exchange

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
# Every wait as short as it can be: what is said is read, not how long it takes.
SWIFT = Timing(first_word=0.1, stall=0.1, silence=0.1, down=0.3, apart=0.02, pace=0.0, first_word_limit=0.05)
WHOLE = Call(0.5, TEXT, MODELS[FALLBACK], USAGE)
GAVE_UP = Call(0.5, error="library.Error", message="it failed")


def said(scenario: Scenario, provider: str = PRIMARY, *, stream: bool = True) -> tuple[str, bytes]:
    with Providers(scenario.primary, SWIFT, refuses_parts=scenario.refuses_parts) as providers:
        port = int(urlsplit(providers.url(provider)).port or 0)
        return asyncio.run(exchange("127.0.0.1", port, "?", stream=stream))


def text_of(body: bytes) -> str:
    text = ""
    for event in body.decode().split("\n\n"):
        try:
            chunk = json.loads(event.removeprefix("data: "))
        except ValueError:
            continue
        text += "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
    return text


def seen(*calls: Call, primary: tuple[float, ...] = (0.0,), fallback: tuple[float, ...] = (0.4,)) -> Seen:
    arrivals = [Arrival(PRIMARY, second, "?") for second in primary] + [
        Arrival(FALLBACK, second, "200") for second in fallback
    ]
    return Seen(calls, arrivals, WHOLE)


def judged(name: str, what: Seen, timing: Timing = FULL) -> tuple[Verdict, str]:
    return failover.judged(BY_NAME[name], what, timing)


def test_there_are_sixteen_scenarios_and_an_answer_of_sixty_words() -> None:
    assert [scenario.name for scenario in SCENARIOS] == [f"S{number:02}" for number in range(1, 17)]
    assert len(WORDS) == 60
    assert "".join(WORDS) == TEXT


@pytest.mark.parametrize("stream", [True, False])
def test_the_fallback_says_the_whole_answer_under_its_own_name(stream: bool) -> None:
    first, body = said(BY_NAME["S04"], FALLBACK, stream=stream)
    assert first == "http/1.1 200 because"
    assert MODELS[FALLBACK].encode() in body
    assert (text_of(body) if stream else json.loads(body)["choices"][0]["message"]["content"]) == TEXT


@pytest.mark.parametrize(("name", "words"), [("S08", CUT_AFTER), ("S14", CUT_AFTER), ("S09", STALL_AFTER)], ids=str)
def test_a_broken_stream_says_so_many_words_and_no_reason_to_stop(name: str, words: int) -> None:
    _, body = said(BY_NAME[name])
    assert text_of(body) == "".join(WORDS[:words])
    assert b'"finish_reason":"stop"' not in body
    assert b"[DONE]" not in body


def test_the_malformed_event_takes_no_word_away() -> None:
    _, body = said(BY_NAME["S10"])
    events = [event.removeprefix("data: ") for event in body.decode().split("\n\n") if event.startswith("data: {")]
    broken = [event for event in events if not event.endswith("}")]
    assert len(broken) == 1
    assert text_of(body) == TEXT


def test_a_stream_without_its_mark_is_whole_and_has_its_usage() -> None:
    _, body = said(BY_NAME["S11"])
    assert text_of(body) == TEXT
    assert b'"usage":{"prompt_tokens"' in body
    assert b"[DONE]" not in body


@pytest.mark.parametrize(("name", "status"), [("S01", 429), ("S02", 429), ("S03", 500), ("S04", 503), ("S12", 400)])
def test_a_refusal_has_its_status(name: str, status: int) -> None:
    assert said(BY_NAME[name])[0] == f"http/1.1 {status} because"


@pytest.mark.parametrize("name", ["S01", "S03", "S05"])
def test_what_happens_once_is_over_with_the_second_request(name: str) -> None:
    with Providers(BY_NAME[name].primary, SWIFT) as providers:
        port = int(urlsplit(providers.url(PRIMARY)).port or 0)
        try:
            first, _ = asyncio.run(exchange("127.0.0.1", port, "?", stream=True))
        except ConnectionError:
            first = "reset"
        _, body = asyncio.run(exchange("127.0.0.1", port, "?", stream=True))
    assert first != "http/1.1 200 because"
    assert text_of(body) == TEXT
    assert [arrival.provider for arrival in providers.arrivals] == [PRIMARY, PRIMARY]


def test_a_part_sent_to_the_fallback_that_refuses_parts_is_refused() -> None:
    with Providers(well, SWIFT, refuses_parts=True) as providers:
        messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "a"}]
        action, _ = providers._fallback({"messages": messages}) or ("", [])
        assert action == "400 part sent back"
        assert providers._fallback({"messages": messages[:1]}) is None


def test_a_fifth_of_the_waits_is_a_fifth_of_what_is_allowed_too() -> None:
    for wait in ("first_word", "stall", "silence", "down", "apart", "back_within", "first_word_limit", "cooldown"):
        assert getattr(BRIEF, wait) == pytest.approx(getattr(FULL, wait) / 5)
    assert BRIEF.retry_after == FULL.retry_after


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_part_that_passes_for_the_answer_always_fails(scenario: Scenario) -> None:
    part = Call(0.5, " ".join(TEXT.split()[:40]), MODELS[FALLBACK], USAGE)
    verdict, reason = failover.judged(scenario, seen(*[part] * scenario.calls), FULL)
    assert verdict is Verdict.FAIL
    assert reason == "40 of 60 words passed for the answer"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_text_that_comes_twice_always_fails(scenario: Scenario) -> None:
    twice = Call(0.5, " ".join(TEXT.split()[:20]) + " " + TEXT, MODELS[FALLBACK], USAGE)
    verdict, reason = failover.judged(scenario, seen(*[twice] * scenario.calls), FULL)
    assert (verdict, reason) == (Verdict.FAIL, "a wrong text of 80 words passed for the answer")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_call_that_never_ends_always_fails(scenario: Scenario) -> None:
    assert failover.judged(scenario, seen(Call(200.0, hung=True)), FULL)[0] is Verdict.FAIL


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.name not in ("S13", "S15", "S16")])
def test_giving_up_in_time_and_after_few_tries_is_safe_and_no_more(scenario: Scenario) -> None:
    assert failover.judged(scenario, seen(GAVE_UP), FULL)[0] is Verdict.SAFE


@pytest.mark.parametrize(
    ("name", "what", "verdict"),
    [
        ("S01", seen(WHOLE, primary=(0.0, 2.1), fallback=()), Verdict.PASS),
        ("S01", seen(WHOLE, primary=(0.0, 0.6), fallback=()), Verdict.PARTIAL),
        ("S01", seen(WHOLE), Verdict.PARTIAL),
        ("S01", seen(WHOLE, primary=(0.0, 0.5, 1.0), fallback=()), Verdict.FAIL),
        ("S02", seen(WHOLE, primary=(0.0, 0.5, 1.5, 2.5)), Verdict.PASS),
        ("S02", seen(WHOLE, primary=(0.0, 0.5, 1.5, 2.5, 2.9)), Verdict.FAIL),
        ("S02", seen(WHOLE, primary=(0.0, 0.5, 1.5, 2.5, 4.0, 5.0, 6.0)), Verdict.FAIL),
        ("S03", seen(WHOLE, primary=(0.0, 0.5), fallback=()), Verdict.PASS),
        ("S03", seen(WHOLE), Verdict.PARTIAL),
        ("S04", seen(WHOLE, primary=(0.0,) * 6), Verdict.PASS),
        ("S04", seen(WHOLE, primary=(0.0,) * 7), Verdict.FAIL),
        ("S06", seen(Call(31.0, TEXT)), Verdict.PASS),
        ("S06", seen(Call(92.0, TEXT), primary=(0.0, 30.0, 60.0)), Verdict.PARTIAL),
        ("S06", seen(Call(101.0, TEXT)), Verdict.FAIL),
        ("S07", seen(Call(11.0, TEXT)), Verdict.PASS),
        ("S07", seen(Call(21.0, TEXT), fallback=()), Verdict.PARTIAL),
        ("S09", seen(Call(30.5, TEXT)), Verdict.PASS),
        ("S09", seen(Call(46.0, TEXT)), Verdict.FAIL),
        ("S11", seen(WHOLE, fallback=()), Verdict.PASS),
        ("S11", seen(Call(0.5, TEXT), fallback=()), Verdict.PARTIAL),
        ("S11", seen(Call(9.0, TEXT, usage=USAGE), fallback=()), Verdict.FAIL),
        ("S12", seen(WHOLE), Verdict.PASS),
        ("S12", seen(WHOLE, primary=(0.0, 0.1)), Verdict.FAIL),
        ("S13", seen(GAVE_UP, fallback=()), Verdict.PASS),
        ("S13", seen(WHOLE), Verdict.PARTIAL),
        ("S13", seen(GAVE_UP, primary=(0.0, 0.1), fallback=()), Verdict.FAIL),
        ("S16", seen(WHOLE), Verdict.PASS),
        ("S16", seen(Call(0.5, TEXT, MODELS[PRIMARY], USAGE)), Verdict.FAIL),
        ("S16", seen(Call(0.5, TEXT, MODELS[FALLBACK])), Verdict.PARTIAL),
        ("S16", seen(Call(0.5, TEXT, MODELS[FALLBACK], (2 * USAGE[0], USAGE[1]))), Verdict.PARTIAL),
        ("S16", seen(Call(0.5, TEXT, MODELS[FALLBACK], USAGE, attempts=1)), Verdict.FAIL),
        ("S16", seen(Call(0.5, TEXT, MODELS[FALLBACK], USAGE, attempts=2)), Verdict.PASS),
    ],
)  # fmt: skip
def test_each_criterion_tells_right_from_nearly_right(name: str, what: Seen, verdict: Verdict) -> None:
    assert judged(name, what)[0] is verdict


@pytest.mark.parametrize("name", ["S09", "S10"])
def test_who_is_not_well_afterwards_fails(name: str) -> None:
    what = seen(WHOLE)
    assert judged(name, what)[0] is Verdict.PASS
    assert judged(name, Seen(what.calls, what.arrivals, GAVE_UP))[0] is Verdict.FAIL


def flapped(*, back: float | None, tries: int = 20, lost: int = 0) -> Seen:
    calls = [
        Call(0.5, None if number < lost else TEXT, MODELS[FALLBACK], error="" if number >= lost else "Error",
             began=number * FULL.apart)
        for number in range(FLAP_CALLS)
    ]  # fmt: skip
    arrivals = [Arrival(PRIMARY, number * 60 / tries, "503") for number in range(tries)]
    if back is not None:
        arrivals.append(Arrival(PRIMARY, FULL.down + back, "200 again"))
    return Seen(calls, arrivals)


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        (flapped(back=4.0), Verdict.PASS),
        (flapped(back=31.0), Verdict.FAIL),
        (flapped(back=None), Verdict.FAIL),
        (flapped(back=4.0, lost=1), Verdict.FAIL),
        (flapped(back=4.0, tries=46), Verdict.PARTIAL),
    ],
)
def test_a_flap_must_be_bridged_and_its_end_be_noticed(what: Seen, verdict: Verdict) -> None:
    assert judged("S15", what)[0] is verdict


def test_an_error_where_one_is_right_is_no_pass_while_a_check_fails() -> None:
    what = seen(GAVE_UP)
    verdict = verdict_on(what, text=TEXT, ideal_is_error=True, longest_seconds=9, advised=[lambda _: "too much"])
    assert verdict == (Verdict.PARTIAL, "too much")


def test_the_table_has_a_row_a_scenario_and_the_counts() -> None:
    score = failover.Score("1.0", {"S01": Verdict.PASS, "S02": Verdict.SAFE}, {"S01": "", "S02": "gave up"},
                           {"S01": "2 tries", "S02": "3 tries"})  # fmt: skip
    table = failover.to_markdown({"ours": score}, SCENARIOS[:2])
    assert "pass (2 tries)" in table
    assert "safe: gave up (3 tries)" in table
    assert "| pass | 1 |" in table
    assert failover.to_json({"ours": score})["ours"]["pass"] == 1


@pytest.mark.parametrize("arguments", [["--contenders", "nobody"], ["--scenarios", "S99"]])
def test_an_unknown_name_is_refused_with_those_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        failover.main(arguments)
    assert left.value.code == 2
    assert "known are" in capsys.readouterr().err
