"""A breaker opens on a rate of failures, lets exactly one call find out whether all is well again, and believes neither
late results nor clocks that jump."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from rag_engine.errors import ConfigurationError
from rag_engine.llm.circuit_breaker import BreakerPermit, BreakerPolicy, CircuitBreaker
from rag_engine.types.routing import BreakerState, DeploymentHealth

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
TODAY = 1_790_000_000.0


class Clock:
    """Time as the tests say it is."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


class TimeOfDay:
    """Goes on with a clock, and jumps."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jumped = TODAY - clock.seconds

    def __call__(self) -> float:
        return self.clock.seconds + self.jumped


class SharedLedger:
    """What several breakers know, in memory: the rules of the routing ledger without its file."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.rows: dict[str, DeploymentHealth] = {}
        self.claimed: dict[str, float] = {}
        self.granted = 0

    def health(self) -> Mapping[str, DeploymentHealth]:
        return dict(self.rows)

    def record_health(self, health: DeploymentHealth) -> None:
        self.rows[health.deployment] = health
        self.claimed.pop(health.deployment, None)

    def claim_probe(self, deployment: str, *, seconds: float) -> bool:
        if self.clock() < self.claimed.get(deployment, -math.inf):
            return False
        self.claimed[deployment] = self.clock() + seconds
        self.granted += 1
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("a", clock=clock)


def permit_of(breaker: CircuitBreaker) -> BreakerPermit:
    permit = breaker.acquire()
    assert permit is not None
    return permit


def fail(breaker: CircuitBreaker, times: int = 5) -> None:
    for _ in range(times):
        permit_of(breaker).failed(cause="server")


def test_it_opens_when_half_of_at_least_five_calls_failed(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    for _ in range(2):
        permit_of(breaker).succeeded()
    assert breaker.state is CLOSED
    fail(breaker, 1)
    assert breaker.state is OPEN
    assert breaker.acquire() is None
    assert not breaker.available
    health = breaker.health()
    assert (health.failures, health.calls, health.cause, health.open_seconds) == (3, 5, "server", 5.0)


def test_it_stays_closed_below_the_share_or_the_least_calls(breaker: CircuitBreaker) -> None:
    fail(breaker, 4)
    assert breaker.state is CLOSED
    for _ in range(20):
        permit_of(breaker).succeeded()
    fail(breaker, 4)
    assert breaker.state is CLOSED


def test_failures_older_than_the_window_count_no_more(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.seconds += 31
    fail(breaker, 4)
    assert breaker.state is CLOSED
    assert breaker.health().calls == 4


def test_after_its_time_one_call_probes_and_its_success_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker)
    assert breaker.seconds_until_probe == 5.0
    clock.seconds += 5
    assert breaker.state is HALF_OPEN
    assert breaker.available
    probe = permit_of(breaker)
    assert probe.probe
    assert breaker.acquire() is None
    assert not breaker.available
    assert breaker.seconds_until_probe == 0.0
    probe.succeeded()
    assert breaker.state is CLOSED
    assert breaker.health().calls == 0
    assert not permit_of(breaker).probe


def test_each_failed_probe_doubles_the_wait_up_to_the_longest_and_a_success_takes_it_back(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker)
    waits = []
    for _ in range(5):
        waits.append(breaker.seconds_until_probe)
        clock.seconds += waits[-1]
        permit_of(breaker).failed(cause="server")
    assert waits == [5, 10, 15, 15, 15]
    clock.seconds += 30
    permit_of(breaker).succeeded()
    fail(breaker)
    assert breaker.seconds_until_probe == 5


def test_late_results_neither_close_nor_open_it(breaker: CircuitBreaker, clock: Clock) -> None:
    late = [permit_of(breaker) for _ in range(10)]
    fail(breaker)
    late.pop().succeeded()
    assert breaker.state is OPEN
    late.pop().failed(cause="server")
    assert breaker.seconds_until_probe == 5
    clock.seconds += 5
    late.pop().succeeded()
    late.pop().failed(cause="quota", cool_down=3600)
    assert breaker.state is HALF_OPEN
    permit_of(breaker).succeeded()
    for permit in late:
        permit.failed(cause="server", cool_down=60)
    assert breaker.state is CLOSED
    assert breaker.health().calls == 0


def test_a_cool_down_opens_at_once_and_may_be_longer_than_the_longest(breaker: CircuitBreaker, clock: Clock) -> None:
    permit_of(breaker).failed(cause="quota", cool_down=3600)
    assert breaker.seconds_until_probe == 3600
    clock.seconds += 3600
    permit_of(breaker).failed(cause="server")
    assert breaker.seconds_until_probe == 5


def test_a_late_cool_down_makes_an_open_breaker_wait_for_it(breaker: CircuitBreaker) -> None:
    late = [permit_of(breaker), permit_of(breaker)]
    fail(breaker)
    late[0].failed(cause="quota", cool_down=60)
    assert breaker.seconds_until_probe == 60
    late[1].failed(cause="quota", cool_down=20)
    assert breaker.seconds_until_probe == 60


@pytest.mark.parametrize(("said", "meant"), [(1e12, 86_400.0), (math.inf, 86_400.0), (2.0, 2.0)])
def test_a_cool_down_is_a_day_at_most(breaker: CircuitBreaker, said: float, meant: float) -> None:
    permit_of(breaker).failed(cause="rate_limit", cool_down=said)
    assert breaker.seconds_until_probe == meant


@pytest.mark.parametrize("said", [-5.0, 0.0, math.nan, -math.inf])
def test_a_cool_down_of_nothing_is_none(breaker: CircuitBreaker, said: float) -> None:
    permit_of(breaker).failed(cause="rate_limit", cool_down=said)
    assert breaker.state is CLOSED


def test_of_a_probe_that_was_cancelled_the_next_caller_makes_another(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker)
    clock.seconds += 5
    permit_of(breaker).released()
    assert breaker.state is HALF_OPEN
    permit_of(breaker).succeeded()
    assert breaker.state is CLOSED


def test_only_the_first_end_of_a_permit_is_heard(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker)
    clock.seconds += 5
    probe = permit_of(breaker)
    probe.released()
    probe.succeeded()
    probe.failed(cause="server")
    assert breaker.state is HALF_OPEN
    permit_of(breaker).succeeded()
    once = permit_of(breaker)
    for _ in range(10):
        once.failed(cause="server")
    assert breaker.health().calls == 1


def test_a_probe_of_which_nothing_is_heard_gives_way_and_its_end_is_late(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker)
    clock.seconds += 5
    lost = permit_of(breaker)
    clock.seconds += 59
    assert breaker.acquire() is None
    clock.seconds += 1
    assert breaker.available
    second = permit_of(breaker)
    lost.succeeded()
    assert breaker.state is HALF_OPEN
    second.failed(cause="server")
    assert breaker.state is OPEN


@pytest.mark.parametrize(
    "wrong",
    [
        {"failing_share": 0.0}, {"failing_share": 1.1}, {"failing_share": math.nan}, {"least_calls": 0},
        {"window_seconds": -1.0}, {"open_seconds": 0.0}, {"probe_seconds": math.inf}, {"longest_open_seconds": 1.0},
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused_with_its_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong)).split("_")[0]) as caught:
        BreakerPolicy(**wrong)  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_thousand_threads_at_half_open_get_one_permit(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker)
    clock.seconds += 5
    gate = threading.Barrier(20)

    def many(_: int) -> int:
        gate.wait()
        return sum(breaker.acquire() is not None for _ in range(50))

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(many, range(20))) == 1


def test_a_thousand_tasks_at_half_open_make_one_probe_and_go_on_when_it_has_ended(clock: Clock) -> None:
    breaker = CircuitBreaker("a", clock=clock)
    fail(breaker)
    clock.seconds += 5
    probes = calls = 0

    async def call(may_end: asyncio.Event) -> None:
        nonlocal probes, calls
        while (permit := breaker.acquire()) is None:
            assert await breaker.probe_ended(deadline=time.monotonic() + 60)
        if permit.probe:
            probes += 1
            await may_end.wait()
        calls += 1
        permit.succeeded()

    async def main() -> None:
        may_end = asyncio.Event()
        tasks = [asyncio.create_task(call(may_end)) for _ in range(1000)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert (probes, calls) == (1, 0)
        may_end.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert (probes, calls) == (1, 1000)


def test_who_waits_for_a_probe_is_woken_from_another_thread(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker)
    clock.seconds += 5
    probe = permit_of(breaker)
    waits = threading.Barrier(4)
    threading.Thread(target=lambda: (waits.wait(), probe.succeeded())).start()

    def wait(_: int) -> bool:
        async def main() -> bool:
            waiting = asyncio.ensure_future(breaker.probe_ended(deadline=time.monotonic() + 60))
            await asyncio.sleep(0)
            await asyncio.to_thread(waits.wait)
            return await waiting

        return asyncio.run(main())

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(wait, range(3))) == [True] * 3


def test_who_waits_hears_that_the_probe_failed_or_that_the_time_is_over(breaker: CircuitBreaker, clock: Clock) -> None:
    async def main() -> None:
        assert await breaker.probe_ended(deadline=time.monotonic() + 60)
        fail(breaker)
        assert not await breaker.probe_ended(deadline=time.monotonic() + 60)
        clock.seconds += 5
        probe = permit_of(breaker)
        assert not await breaker.probe_ended(deadline=time.monotonic() + 0.01)
        waiting = asyncio.ensure_future(breaker.probe_ended(deadline=time.monotonic() + 60))
        cancelled = asyncio.ensure_future(breaker.probe_ended(deadline=math.inf))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        probe.failed(cause="server")
        assert not await waiting
        assert cancelled.cancelled()
        assert not breaker._waiters

    asyncio.run(main())


def test_who_waits_takes_over_a_probe_that_was_cancelled(breaker: CircuitBreaker, clock: Clock) -> None:
    async def main() -> None:
        fail(breaker)
        clock.seconds += 5
        probe = permit_of(breaker)
        waiting = asyncio.ensure_future(breaker.probe_ended(deadline=time.monotonic() + 60))
        await asyncio.sleep(0)
        probe.released()
        assert await waiting
        assert permit_of(breaker).probe

    asyncio.run(main())


# With other processes, through the ledger.


def two(clock: Clock, *, today: TimeOfDay | None = None) -> tuple[SharedLedger, CircuitBreaker, CircuitBreaker]:
    ledger = SharedLedger(clock)
    now = TimeOfDay(clock) if today is None else today
    one, other = (CircuitBreaker("a", ledger=ledger, clock=clock, now=now) for _ in range(2))
    return ledger, one, other


def test_an_opening_and_a_closing_are_seen_by_others_within_a_second(clock: Clock) -> None:
    _, one, other = two(clock)
    permit_of(one).failed(cause="quota", cool_down=60)
    clock.seconds += 1
    assert other.state is OPEN
    assert other.health().cause == "quota"
    clock.seconds += 60
    permit_of(other).succeeded()
    clock.seconds += 1
    assert one.state is CLOSED


def test_of_two_processes_one_probes_and_the_other_waits_for_what_it_finds_out(clock: Clock) -> None:
    ledger, one, other = two(clock)
    fail(one)
    clock.seconds += 5
    probe = permit_of(one)
    assert other.acquire() is None
    assert other.state is HALF_OPEN
    assert not other.available
    clock.seconds += 0.25
    assert other.acquire() is None
    probe.failed(cause="server")
    clock.seconds += 1
    assert other.state is OPEN
    assert other.seconds_until_probe == pytest.approx(10, abs=1.5)
    assert ledger.granted == 1


def test_a_probe_given_back_may_be_made_by_another_process(clock: Clock) -> None:
    _, one, other = two(clock)
    fail(one)
    clock.seconds += 5
    probe = permit_of(one)
    assert other.acquire() is None
    probe.released()
    clock.seconds += 0.25
    assert permit_of(other).probe


def test_who_has_leave_to_probe_but_learns_that_another_has_closed_it_calls_as_ever(clock: Clock) -> None:
    ledger, one, other = two(clock)
    fail(one)
    clock.seconds += 5.9
    assert other.state is HALF_OPEN
    permit_of(one).succeeded()
    assert not permit_of(other).probe
    assert other.state is CLOSED
    assert not ledger.claimed


def test_a_new_breaker_begins_as_the_ledger_says(clock: Clock) -> None:
    ledger = SharedLedger()
    today = TimeOfDay(clock)
    before = CircuitBreaker("a", ledger=ledger, clock=clock, now=today)
    fail(before)
    clock.seconds += 5
    permit_of(before).failed(cause="server")
    clock.seconds += 4
    after = CircuitBreaker("a", ledger=ledger, clock=Clock(3.0), now=today)
    assert after.state is OPEN
    assert after.seconds_until_probe == pytest.approx(6)
    assert (after.health().open_seconds, after.health().failures) == (10, 5)


@pytest.mark.parametrize("until", [TODAY + 3600, 4_070_908_800.0, math.inf])
@pytest.mark.parametrize("said", [10.0, 1e15, math.inf, math.nan, -1.0])
def test_no_file_and_no_clock_locks_a_deployment_out_for_longer_than_it_was_opened(
    clock: Clock, until: float, said: float
) -> None:
    ledger = SharedLedger()
    ledger.record_health(DeploymentHealth("a", OPEN, until, said, "server", changed=TODAY))
    breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=Clock(TODAY))
    assert breaker.seconds_until_probe <= 10
    clock.seconds += 10
    permit_of(breaker).succeeded()
    assert breaker.state is CLOSED


@pytest.mark.parametrize("until", [0.0, -5.0, TODAY - 1, math.nan])
def test_an_opening_that_is_over_leaves_a_probe_to_be_made(clock: Clock, until: float) -> None:
    ledger = SharedLedger()
    ledger.record_health(DeploymentHealth("a", OPEN, until, 5.0, "server", changed=TODAY - 100))
    breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=Clock(TODAY))
    assert breaker.state is HALF_OPEN


@pytest.mark.parametrize("jump", [-86_400.0, -3600.0, 3600.0, 86_400.0])
def test_a_time_of_day_that_jumps_changes_nothing_in_a_process(clock: Clock, jump: float) -> None:
    today = TimeOfDay(clock)
    _, one, other = two(clock, today=today)
    fail(one)
    clock.seconds += 1
    assert other.state is OPEN
    today.jumped += jump
    clock.seconds += 1
    assert one.seconds_until_probe == pytest.approx(3)
    assert other.seconds_until_probe == pytest.approx(3)
    clock.seconds += 4
    permit_of(one).succeeded()
    clock.seconds += 1
    assert other.state is CLOSED
    fail(other)
    clock.seconds += 1
    assert one.state is OPEN


def test_an_older_row_does_not_close_what_was_opened_since(clock: Clock) -> None:
    ledger = SharedLedger()
    today = Clock(TODAY)
    breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=today)
    fail(breaker)
    ledger.record_health(DeploymentHealth("a", CLOSED, changed=TODAY - 1))
    clock.seconds += 1
    assert breaker.state is OPEN


def test_how_calls_go_is_told_also_while_nothing_changes(clock: Clock) -> None:
    ledger = SharedLedger()
    breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=Clock(TODAY), averages=lambda: (0.5, 0.01))
    permit_of(breaker).succeeded()
    fail(breaker, 1)
    clock.seconds += 1
    assert breaker.available
    row = ledger.rows["a"]
    assert (row.state, row.failures, row.calls, row.first_token_seconds, row.token_seconds) == (CLOSED, 1, 2, 0.5, 0.01)
    permit_of(breaker).succeeded()
    breaker.record()
    assert ledger.rows["a"].calls == 3


def test_averages_known_before_a_restart_are_told_until_there_are_new_ones(clock: Clock) -> None:
    ledger = SharedLedger()
    ledger.record_health(DeploymentHealth("a", first_token_seconds=0.5, token_seconds=0.01, changed=TODAY - 5))
    breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=Clock(TODAY))
    fail(breaker)
    assert ledger.rows["a"].state is OPEN
    assert ledger.rows["a"].first_token_seconds == 0.5


# A slow model of the breaker, and random lives.

WHOLE_SECONDS = BreakerPolicy(
    failing_share=0.5, least_calls=3, window_seconds=20.0, open_seconds=4.0, longest_open_seconds=16.0, probe_seconds=12
)


class Reference:
    """What a breaker is, said as plainly as it can be: every call is remembered for ever."""

    def __init__(self) -> None:
        self.now = 1000
        self.ends: list[tuple[int, bool]] = []
        self.until: int | None = None
        self.wait = 4
        self.period = 0
        self.probe: int | None = None
        self.probe_since = 0

    @property
    def state(self) -> BreakerState:
        if self.until is None:
            return CLOSED
        return OPEN if self.now < self.until else HALF_OPEN

    def counts(self) -> tuple[int, int]:
        counted = [failed for at, failed in self.ends if at // 2 > self.now // 2 - 10]
        return sum(counted), len(counted)

    def grants(self) -> bool:
        if self.state is HALF_OPEN:
            return self.probe is None or self.now >= self.probe_since + 12
        return self.state is CLOSED

    def open(self, seconds: int) -> None:
        self.until = self.now + seconds
        self.period += 1
        self.probe = None

    def longer(self, cool_down: int) -> int:
        seconds = max(self.wait, cool_down)
        self.wait = min(16, 2 * self.wait)
        return seconds

    def failed(self, number: int, period: int, cool_down: int) -> None:
        if self.state is CLOSED and period == self.period:
            self.ends.append((self.now, True))
            failures, calls = self.counts()
            if calls >= 3 and failures * 2 >= calls:
                self.open(self.longer(cool_down))
            elif cool_down:
                self.open(cool_down)
        elif self.probe == number:
            self.open(self.longer(cool_down))
        elif self.state is OPEN and self.until is not None:
            self.until = max(self.until, self.now + cool_down)

    def succeeded(self, number: int, period: int) -> None:
        if self.state is CLOSED and period == self.period:
            self.ends.append((self.now, False))
        elif self.probe == number:
            self.until, self.probe, self.wait, self.ends = None, None, 4, []
            self.period += 1


class Lives(RuleBasedStateMachine):
    """Calls begin, end well or badly or not at all, now or late, and time goes on."""

    permits: Bundle[tuple[int, int, BreakerPermit]] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = self.made()
        self.reference = Reference()
        self.number = 0

    def made(self) -> CircuitBreaker:
        return CircuitBreaker("a", policy=WHOLE_SECONDS, clock=self.clock)

    @rule(target=permits)
    def begins(self) -> object:
        from hypothesis.stateful import multiple

        expected = self.reference.grants()
        permit = self.breaker.acquire()
        assert (permit is not None) == expected
        if permit is None:
            return multiple()
        self.number += 1
        assert permit.probe == (self.reference.state is HALF_OPEN)
        if permit.probe:
            self.reference.probe, self.reference.probe_since = self.number, self.reference.now
        return (self.number, self.reference.period, permit)

    @rule(permit=consumes(permits))
    def ends_well(self, permit: tuple[int, int, BreakerPermit]) -> None:
        number, period, leave = permit
        leave.succeeded()
        leave.failed(cause="unheard", cool_down=99)
        self.reference.succeeded(number, period)

    @rule(permit=consumes(permits), cool_down=st.sampled_from([0, 0, 0, 1, 7, 40]))
    def ends_badly(self, permit: tuple[int, int, BreakerPermit], cool_down: int) -> None:
        number, period, leave = permit
        leave.failed(cause="server", cool_down=cool_down)
        leave.succeeded()
        self.reference.failed(number, period, cool_down)

    @rule(permit=consumes(permits))
    def is_cancelled(self, permit: tuple[int, int, BreakerPermit]) -> None:
        permit[2].released()
        if self.reference.probe == permit[0]:
            self.reference.probe = None

    @rule(seconds=st.integers(1, 13))
    def time_goes_on(self, seconds: int) -> None:
        self.clock.seconds += seconds
        self.reference.now += seconds

    @precondition(lambda self: self.reference.state is OPEN)
    @rule()
    def time_comes(self) -> None:
        assert self.reference.until is not None
        self.clock.seconds = self.reference.now = self.reference.until

    @invariant()
    def is_as_the_reference_says(self) -> None:
        reference, breaker = self.reference, self.breaker
        assert breaker.state is reference.state
        assert breaker.available == reference.grants()
        left = 0 if reference.until is None else max(0, reference.until - reference.now)
        assert breaker.seconds_until_probe == left
        if reference.state is CLOSED:
            assert (breaker.health().failures, breaker.health().calls) == reference.counts()


class LivesWithALedger(Lives):
    """The same with a ledger that nobody else writes to: it must change nothing, at whatever time of day."""

    def made(self) -> CircuitBreaker:
        self.ledger = SharedLedger(self.clock)
        self.today = TimeOfDay(self.clock)
        return CircuitBreaker("a", policy=WHOLE_SECONDS, ledger=self.ledger, clock=self.clock, now=self.today)

    @rule(seconds=st.sampled_from([-86_400.0, -1.0, 0.5, 3600.0]))
    def the_time_of_day_jumps(self, seconds: float) -> None:
        self.today.jumped += seconds

    @rule()
    def another_row_is_older(self) -> None:
        """And is looked at before the time of day may jump again: after that nobody could tell which was first."""
        row = self.ledger.rows.get("a")
        if row is not None and self.breaker.health().changed <= self.today():
            self.ledger.rows["a"] = replace(row, state=CLOSED, changed=self.breaker.health().changed - 1)
            self.time_goes_on(seconds=1)
            assert self.breaker.available == self.reference.grants()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestLivesWithALedger = LivesWithALedger.TestCase
TestLivesWithALedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_short_processes_that_fail_one_after_the_other_open_it_together(clock: Clock) -> None:
    ledger, today = SharedLedger(clock), TimeOfDay(clock)
    for _ in range(BreakerPolicy().least_calls):
        breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=today)
        permit = breaker.acquire()
        assert permit is not None
        permit.failed(cause="server")
        breaker.record()
        clock.seconds += 2
    assert CircuitBreaker("a", ledger=ledger, clock=clock, now=today).state is OPEN


def test_what_earlier_processes_counted_longer_ago_than_the_window_counts_no_more(clock: Clock) -> None:
    ledger, today = SharedLedger(clock), TimeOfDay(clock)
    for _ in range(10):
        breaker = CircuitBreaker("a", ledger=ledger, clock=clock, now=today)
        permit = breaker.acquire()
        assert permit is not None
        permit.failed(cause="server")
        breaker.record()
        assert breaker.state is CLOSED
        clock.seconds += BreakerPolicy().window_seconds + 1
