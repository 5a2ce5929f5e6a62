from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.calibration import Calibration
from rag_engine.evaluation.calibration_measures import CoveragePoint, ProbabilityMeasures
from rag_engine.evaluation.calibration_report import CalibrationReport
from rag_engine.jobs.calibration_file import (
    FILE_NAME,
    MadeWith,
    calibration_state,
    read_calibration,
    remove_calibration,
    write_calibration,
)

ORIGIN = MadeWith(engine="1", model="extractive", weights="w", chunker="c", settings="s")
MEASURES = ProbabilityMeasures(0.1, 0.2, 0.8)
REPORT = CalibrationReport(
    index="handbook",
    source="self-made",
    commit=3,
    seed=0,
    fitted=200,
    held_out=100,
    answerable=150,
    offset=-0.4,
    slope=1.3,
    before=MEASURES,
    after=MEASURES,
    area_under_risk_coverage=0.1,
    risk=None,
    threshold=None,
    risk_bound=None,
    certainty=0.9,
    answered=None,
    curve=(CoveragePoint(0.5, 1.0, 0.5),),
    seconds=1.0,
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_calibration(tmp_path, replace(REPORT, risk=0.1, threshold=0.7), origin=ORIGIN)
    assert read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.32) == Calibration(-0.4, 1.3, 0.7)
    state = calibration_state(tmp_path, origin=ORIGIN)
    assert state is not None
    assert (state.source, state.commit, state.questions) == ("self-made", 3, 300)
    assert (state.risk, state.threshold, state.ignored) == (0.1, 0.7, None)


def test_without_a_risk_the_setting_stays_the_threshold(tmp_path: Path) -> None:
    write_calibration(tmp_path, REPORT, origin=ORIGIN)
    found = read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.45)
    assert found is not None
    assert found.threshold == 0.45


def test_where_there_is_none_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.3) is None
    assert calibration_state(tmp_path, origin=ORIGIN) is None
    assert not caplog.records
    assert not remove_calibration(tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weights": "other"}, "another embedding model"),
        ({"chunker": "other"}, "another chunker"),
        ({"engine": "2"}, "another version of the engine"),
        ({"settings": "other"}, "other settings of retrieval and answering"),
        ({"weights": "other", "chunker": "other"}, "another embedding model and another chunker"),
    ],
)
def test_one_made_with_something_else_is_ignored_with_what_that_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changed: dict[str, str], said: str
) -> None:
    write_calibration(tmp_path, REPORT, origin=ORIGIN)
    with caplog.at_level(logging.WARNING):
        assert read_calibration(tmp_path, origin=replace(ORIGIN, **changed), abstain_below=0.3) is None
    assert said in caplog.text
    assert "rag calibrate" in caplog.text
    state = calibration_state(tmp_path, origin=replace(ORIGIN, **changed))
    assert state is not None
    assert state.ignored == f"it was made with {said}"


def whole(folder: Path) -> str:
    write_calibration(folder, REPORT, origin=ORIGIN)
    return (folder / FILE_NAME).read_text(encoding="utf-8")


@given(cut=st.integers(0, 1200), junk=st.binary(max_size=8))
def test_a_damaged_file_is_ignored_or_what_it_was(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    data = whole(folder).encode()
    (folder / FILE_NAME).write_bytes(data[:cut] + junk + data[cut + len(junk) :])
    found = read_calibration(folder, origin=ORIGIN, abstain_below=0.3)
    state = calibration_state(folder, origin=ORIGIN)
    assert state is not None
    assert (found is None) == (state.ignored is not None)


@pytest.mark.parametrize(
    "change",
    [
        {"slope": -1.0},
        {"slope": "steep"},
        {"offset": None},
        {"threshold": 7.0},
        {"fitted": None},
    ],
)
def test_values_that_make_no_map_are_damage(tmp_path: Path, change: dict[str, object]) -> None:
    stored = json.loads(whole(tmp_path))
    stored["calibration"] |= change
    (tmp_path / FILE_NAME).write_text(json.dumps(stored), encoding="utf-8")
    assert read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.3) is None
    state = calibration_state(tmp_path, origin=ORIGIN)
    assert state is not None
    assert "damaged" in (state.ignored or "")


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "3", '{"format": 99}', '{"format": 1}'])
def test_what_is_no_calibration_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")
    assert read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.3) is None


def test_a_reset_removes_it(tmp_path: Path) -> None:
    whole(tmp_path)
    assert remove_calibration(tmp_path)
    assert read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.3) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.jobs import test_calibration_file as made
real = os.fsync
def die(descriptor):
    os.kill(os.getpid(), signal.SIGKILL)  # everything is written, nothing is in its place yet
os.fsync = die
made.write_calibration(Path(sys.argv[1]), made.replace(made.REPORT, offset=2.0), origin=made.ORIGIN)
"""


def test_a_kill_while_it_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    before = whole(tmp_path)
    root = Path(__file__).resolve().parents[3]
    program = KILLED.replace("from tests.unit.jobs import test_calibration_file as made", _load(__file__))
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == before
    assert read_calibration(tmp_path, origin=ORIGIN, abstain_below=0.3) is not None


def _load(file: str) -> str:
    return (
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('made', {file!r})\n"
        "made = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(made)"
    )
