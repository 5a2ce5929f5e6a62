"""A forked child begins with locks of its own, with nothing under way, and with files that its parent has closed."""

from __future__ import annotations

import gc
import os
import threading
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_engine.error_handler import ErrorAggregator
from rag_engine.error_handler.forks import across_forks
from rag_engine.ledger import Ledger, RoutingLedger, UsageLedger
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.deployment_load import DeploymentLoad
from rag_engine.llm.failover_handler.hedging import HedgeShare
from rag_engine.llm.failover_handler.retry_budget import RetryBudget
from rag_engine.llm.opening import provider_model
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.llm.router import RoutedModel
from rag_engine.llm.transport import Transport
from rag_engine.types.secret import Secret

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def in_a_child(work: Callable[[], None]) -> bool:
    """Whether it ended well in a forked child, which is ended where it hangs."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            threading.Timer(20.0, os._exit, (3,)).start()
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - told, and the child ends
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def holding(lock: threading.Lock) -> Callable[[], None]:
    """Another thread holds it until what is given back is called."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

    def end() -> None:
        over.set()
        thread.join()

    return end


USES: dict[str, tuple[Callable[[], object], Callable[..., object]]] = {
    "a breaker": (lambda: CircuitBreaker("one"), lambda one: one.health()),
    "a limiter": (
        lambda: RateLimiter(RateLimits(concurrency=1)),
        lambda one: one.acquire(input_tokens=1, output_tokens=1).released(),
    ),
    "a load": (DeploymentLoad, lambda one: one.began()),
    "a retry budget": (RetryBudget, lambda one: one.called()),
    "a share of hedged calls": (lambda: HedgeShare(0.5), lambda one: one.called()),
    "counts of errors": (ErrorAggregator, lambda one: one.record_success("one")),
}


@pytest.mark.parametrize("name", USES)
def test_a_lock_that_another_thread_holds_at_the_fork_is_free_in_the_child(name: str) -> None:
    made, use = USES[name]
    one = made()
    end = holding(one._lock)  # type: ignore[attr-defined]
    try:
        assert in_a_child(lambda: use(one))
    finally:
        end()
    use(one)


def test_calls_under_way_in_the_parent_hold_up_none_of_the_child() -> None:
    limiter, load = RateLimiter(RateLimits(concurrency=1)), DeploymentLoad()
    permit = limiter.acquire(input_tokens=1, output_tokens=1)
    assert not isinstance(permit, float)
    load.began()

    def work() -> None:
        assert load.under_way == 0
        assert limiter.available
        permit.released()  # the parent's, which does not make room for a second one
        assert not isinstance(limiter.acquire(input_tokens=1, output_tokens=1), float)
        assert isinstance(limiter.acquire(input_tokens=1, output_tokens=1), float)

    assert in_a_child(work)
    assert not limiter.available
    assert load.under_way == 1


def test_a_probe_of_the_parent_keeps_a_child_from_probing_no_longer_than_it_is_open() -> None:
    clock = [0.0]
    breaker = CircuitBreaker("one", policy=BreakerPolicy(least_calls=1, open_seconds=1.0), clock=lambda: clock[0])
    permit = breaker.acquire()
    assert permit is not None
    permit.failed(cause="server")
    clock[0] = 2.0
    assert breaker.acquire() is not None  # the probe, which goes on in the parent

    def work() -> None:
        assert breaker.acquire() is not None

    assert breaker.acquire() is None
    assert in_a_child(work)


@pytest.mark.parametrize("kind", [Ledger, RoutingLedger, UsageLedger])
def test_no_file_is_open_in_a_child_and_the_parent_goes_on_with_its_own(kind: type, tmp_path: Path) -> None:
    ledger = kind(tmp_path / "file.sqlite")
    place = str((tmp_path / "file.sqlite").resolve())

    def open_files() -> list[str]:
        open_now = [str(number.readlink()) for number in Path("/proc/self/fd").iterdir() if number.is_symlink()]
        return [name for name in open_now if name.startswith(place)]

    def use() -> None:
        if isinstance(ledger, Ledger):
            ledger.record([])
        elif isinstance(ledger, RoutingLedger):
            assert ledger.claim_probe("one", seconds=0.0)
        else:
            ledger._set_aside("one/two", 0.0, 1.0)
            ledger.spent()

    use()
    assert open_files()

    def work() -> None:
        assert open_files() == []
        use()
        ledger.close()

    assert in_a_child(work)
    use()
    assert open_files()
    ledger.close()
    assert open_files() == []


def test_an_owner_is_not_kept_and_its_steps_come_in_their_order() -> None:
    class Owner:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.steps: list[str] = []
            across_forks(
                self, begin_anew=Owner.begin_anew, locks=lambda one: (one.lock,), close=lambda one: one.close()
            )

        def close(self) -> None:
            assert self.lock.locked()
            self.steps.append("closed")

        def begin_anew(self) -> None:
            self.lock = threading.Lock()
            self.steps.append("begun anew")

    owner = Owner()

    def work(owner: Owner = owner) -> None:
        assert owner.steps == ["closed", "begun anew"]
        assert not owner.lock.locked()

    assert in_a_child(work)
    assert owner.steps == ["closed"]
    assert not owner.lock.locked()
    kept = weakref.ref(owner)
    del owner, work
    gc.collect()
    assert kept() is None


def test_threads_may_fork_at_once() -> None:
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(in_a_child(lambda: None))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 8


def test_children_of_one_process_do_not_spread_their_calls_alike() -> None:
    key = Secret("sk-of-nobody-0123456789")
    model = provider_model("openai/gpt-4o-mini", transport=Transport(), key=key, environment={})
    route = RoutedModel(name="a", deployments=[Deployment(name="one", model=model, profile=model.profile)])
    reading, writing = os.pipe()
    for _ in range(2):
        assert in_a_child(lambda: os.write(writing, f"{route._generator.random()}\n".encode()) and None)
    os.close(writing)
    with os.fdopen(reading) as told:
        drawn = told.read().split()
    assert len(set(drawn)) == 2
