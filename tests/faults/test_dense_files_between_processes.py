"""The files of the dense index while processes read, write and die."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from rag_engine.index.dense import Compression, FaissIndex

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import pathlib, sys
import numpy as np
from rag_engine.errors import CacheDamagedError
from rag_engine.index.dense import Compression, FaissIndex

DIMENSION, STEP = 8, 40
folder = pathlib.Path(sys.argv[2])

def rows(first, last):
    "A number's row can be told from the number."
    made = [np.random.default_rng(number).standard_normal(DIMENSION) for number in range(first, last)]
    return np.stack(made).astype("f4")

def held(commit):
    "After each commit 40 more; at every third only the newest 40 stay."
    first = commit // 3 * 3 * STEP - STEP if commit >= 3 else 0
    return first, commit * STEP

def opened():
    return FaissIndex.open(folder, index_id="mine", compression=Compression(exact_up_to=50))

def check(index):
    first, last = held(index.commit)
    assert index.numbers().tolist() == list(range(first, last)), index.commit
    vector = rows(last - 1, last)[0]
    (hit,) = [hit for hit in index.search(vector, last) if hit.chunk == last - 1]
    assert abs(hit.score - float(vector @ vector)) < 1e-4

def write(commit):
    try:
        index = opened()
    except CacheDamagedError:
        index = FaissIndex(DIMENSION, folder=folder, index_id="mine", compression=Compression(exact_up_to=50))
    while index.commit < commit:
        step = index.commit + 1
        index.remove(np.arange(held(step)[0], dtype=np.int64))
        index.add(np.arange((step - 1) * STEP, step * STEP, dtype=np.int64), rows((step - 1) * STEP, step * STEP))
        index.flush()
        index.save(commit=step)
        check(index)
        print(step, flush=True)

def read(commit):
    seen, index = 0, None
    while seen < commit:
        before = index
        try:
            index = opened()
        except CacheDamagedError:
            continue  # between two manifests: the caches look again under their lock
        assert index.commit >= seen
        seen = index.commit
        if before is not None:
            check(before)  # what is mapped stays what it was
        check(index)
    print("read", flush=True)

{"write": write, "read": read}[sys.argv[1]](int(sys.argv[3]))
"""


def started(verb: str, folder: Path, commit: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, verb, str(folder), str(commit)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_readers_see_one_commit_whole_while_another_process_grows_and_compacts(tmp_path: Path) -> None:
    folder = tmp_path / "dense"
    commits = 60
    readers = [started("read", folder, commits) for _ in range(2)]
    writer = started("write", folder, commits)
    for process in (writer, *readers):
        out, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
        assert out.split()[-1] in {"read", str(commits)}


def test_a_writer_that_is_killed_leaves_a_whole_commit(tmp_path: Path) -> None:
    folder = tmp_path / "dense"
    generator = random.Random(5)
    reported = 0
    for _ in range(8):
        writer = started("write", folder, 10_000)
        assert writer.stdout is not None
        reported = int(writer.stdout.readline())
        time.sleep(generator.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        reported = int((writer.communicate()[0].split() or [reported])[-1])
        index = FaissIndex.open(folder, index_id="mine", compression=Compression(exact_up_to=50))
        assert index.commit >= reported
        first = index.commit // 3 * 120 - 40 if index.commit >= 3 else 0
        assert index.numbers().tolist() == list(range(first, index.commit * 40))
        number = index.commit * 40 - 1
        vector = np.random.default_rng(number).standard_normal(8).astype("f4")
        assert number in [hit.chunk for hit in index.search(vector, index.commit * 40)]
