"""Rounds over contenders: interleaved, resumed, and going on when one fails."""

from pathlib import Path

import pytest

from benchmarks.peers.__main__ import measured
from benchmarks.peers.catalogue import Contender, Regime, contenders
from benchmarks.peers.environments import PeerEnvironmentError
from benchmarks.peers.measurement import Measurement

CHOSEN = contenders(["bare", "chroma"], [Regime.WHOLE])


class Diary:
    """Measures nothing and writes down what it was asked."""

    def __init__(self, *, uninstallable: str = "", failing: str = "") -> None:
        self.taken: list[tuple[str, int]] = []
        self._uninstallable, self._failing = uninstallable, failing

    def measure(self, contender: Contender, number: int) -> Measurement:
        self.taken.append((contender.name, number))
        if contender.name == self._uninstallable:
            raise PeerEnvironmentError("no such version")
        errors = {"hybrid": "exit status 1"} if contender.name == self._failing else {}
        return Measurement(contender.name, number, "1.0", {"cold_seconds": 1.0}, errors)


def test_each_round_begins_with_another_contender(tmp_path: Path) -> None:
    diary = Diary()

    list(measured(diary.measure, CHOSEN, tmp_path, rounds=2))

    assert diary.taken == [
        ("rag_engine-chunked", 1),
        ("bare-whole", 1),
        ("chroma-whole", 1),
        ("bare-whole", 2),
        ("chroma-whole", 2),
        ("rag_engine-chunked", 2),
    ]


def test_an_interrupted_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    first = measured(Diary().measure, CHOSEN, tmp_path, rounds=2)
    taken = [next(first) for _ in range(4)]
    first.close()
    diary = Diary()

    again = list(measured(diary.measure, CHOSEN, tmp_path, rounds=2))

    assert diary.taken == [("chroma-whole", 2), ("rag_engine-chunked", 2)]
    assert again[:4] == taken
    assert len(again) == 6


def test_fresh_measures_all_again(tmp_path: Path) -> None:
    list(measured(Diary().measure, CHOSEN, tmp_path, rounds=1))
    diary = Diary()

    list(measured(diary.measure, CHOSEN, tmp_path, rounds=1, fresh=True))

    assert len(diary.taken) == 3


def test_a_peer_that_cannot_be_set_up_is_reported_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    diary = Diary(uninstallable="bare-whole")

    taken = list(measured(diary.measure, CHOSEN, tmp_path, rounds=2))

    assert [one.errors for one in taken if one.contender == "bare-whole"] == [{"setting up": "no such version"}]
    assert [number for name, number in diary.taken if name == "bare-whole"] == [1]
    assert [number for name, number in diary.taken if name == "chroma-whole"] == [1, 2]


def test_a_measurement_with_an_error_is_taken_again_the_next_time(tmp_path: Path) -> None:
    list(measured(Diary(failing="chroma-whole").measure, CHOSEN, tmp_path, rounds=1))
    diary = Diary()

    list(measured(diary.measure, CHOSEN, tmp_path, rounds=1))

    assert diary.taken == [("chroma-whole", 1)]


@pytest.mark.parametrize("rounds", [0, 1])
def test_so_many_rounds_as_are_asked_for(tmp_path: Path, rounds: int) -> None:
    assert len(list(measured(Diary().measure, CHOSEN, tmp_path, rounds=rounds))) == rounds * 3
