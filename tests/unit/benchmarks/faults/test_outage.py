"""What an outage costs: the servers do as their modes say, and what falls short is told."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.faults import outage
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY
from benchmarks.faults.outage_costs import at
from benchmarks.faults.outage_servers import FAILING, TEXT, Mode, Servers, _Provider
from benchmarks.faults.socket_server import ReceivedRequest, Wait
from tests.unit.benchmarks.faults.naive_model import exchange

REQUEST = ReceivedRequest("POST", "/v1/chat/completions", {}, b'{"stream": true}')


def waits(mode: Mode, *, requests: int, seed: int = 3) -> list[float]:
    provider = _Provider(mode, seed)
    return [
        sum(step.seconds for step in provider.reply(REQUEST, number) if isinstance(step, Wait))
        for number in range(requests)
    ]


def test_both_servers_do_as_their_modes_say_and_tell_what_arrived() -> None:
    def said(provider: str) -> tuple[str, bytes]:
        return asyncio.run(exchange("127.0.0.1", int(urlsplit(servers.urls[provider]).port or 0), "?", stream=False))

    with Servers(FAILING, Mode()) as servers:
        before = time.monotonic()
        assert said(PRIMARY)[0] == "http/1.1 500 because"
        first, body = said(FALLBACK)
        assert first == "http/1.1 200 because"
        assert json.loads(body)["choices"][0]["message"]["content"] == TEXT
        assert len(servers.arrivals(FALLBACK)) == 1
        (moment,) = servers.arrivals(PRIMARY)
        assert before <= moment <= time.monotonic()
        servers.turn(PRIMARY, Mode())
        assert servers.arrivals(PRIMARY) == []
        assert said(PRIMARY)[0] == "http/1.1 200 because"


def test_of_each_hundred_requests_one_stalls_at_a_place_of_its_own() -> None:
    found = waits(Mode(median=0.02, sigma=0.5, stall_every=100, stall=2.0), requests=1000)
    places = [number for number, seconds in enumerate(found) if seconds == 2.0]
    assert [place // 100 for place in places] == list(range(10))
    assert len({place % 100 for place in places}) > 5


def test_the_others_are_log_normal() -> None:
    found = sorted(waits(Mode(median=0.02, sigma=0.5), requests=4000))
    assert found[2000] == pytest.approx(0.02, rel=0.1)
    # e to the power of sigma, one standard deviation above the median.
    assert found[int(4000 * 0.8413)] == pytest.approx(0.02 * 2.718281828**0.5, rel=0.1)


def test_a_delay_is_the_same_for_all() -> None:
    assert set(waits(Mode(delay=0.3), requests=10)) == {0.3}


def test_a_quantile_is_what_the_slowest_values_are_at_least() -> None:
    values = [0.0] * 3960 + [2.0] * 40
    assert at(values, 0.99) == 2.0
    assert at(values, 0.98) == 0.0
    assert at([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert at([1.0], 0.999) == 1.0


def found(**changed: Any) -> dict[str, Any]:
    right: dict[str, Any] = {
        "amplification": {
            "rag_engine": {"16": {"calls": 2000, "share": 1.05}},
            "litellm_router": {"16": {"calls": 900, "share": 6.0}},
        },
        "probes": {"answered": {"callers": 1000, "answered": 1000, "probes": 1}},
        "recovery": [{"outage": 6.0, "seconds": 3.9, "interval": 4.0, "over_interval": -0.1, "calls_when_due": 1}],
        "decision": {"open_p99": 90.0},
        "hedging": {"p99_share": 0.05, "extra": 0.04},
    }
    return right | changed


def test_what_is_aimed_at_falls_short_of_nothing_whatever_a_peer_does() -> None:
    assert outage.short_of(found()) == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"amplification": {"rag_engine": {"1": {"calls": 2000, "share": 1.21}}}}, "1.21 calls upstream"),
        ({"probes": {"failing": {"callers": 1000, "answered": 1000, "probes": 2}}}, "failing: 2 probes"),
        ({"probes": {"failing": {"callers": 1000, "answered": 1000, "probes": 0}}}, "failing: 0 probes"),
        ({"probes": {"answered": {"callers": 1000, "answered": 999, "probes": 1}}}, "999 of 1000 answered"),
        ({"recovery": [{"seconds": 9, "interval": 4, "over_interval": 5, "calls_when_due": 1}]}, "back after 9.00 s"),
        ({"recovery": [{"seconds": 4, "interval": 4, "over_interval": 0, "calls_when_due": 2}]}, "back after 4.00 s"),
        ({"decision": {"open_p99": 1001.0}}, "1001 microseconds"),
        ({"hedging": {"p99_share": 0.51, "extra": 0.04}}, "p99 at 0.51"),
        ({"hedging": {"p99_share": 0.05, "extra": 0.051}}, "5.1% more calls"),
    ],
)
def test_each_aim_that_is_missed_is_named(changed: dict[str, Any], what: str) -> None:
    (wrong,) = outage.short_of(found(**changed))
    assert what in wrong


def test_the_tables_have_a_row_a_measurement() -> None:
    table = outage.to_markdown(found())
    assert "| litellm_router, 16 at once | 900 | 6 |" in table
    assert "| milliseconds | 0.05 | 0.04 |" in table


def test_an_unknown_part_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        outage.main(["--parts", "nothing"])
    assert left.value.code == 2
    assert "known are amplification" in capsys.readouterr().err
