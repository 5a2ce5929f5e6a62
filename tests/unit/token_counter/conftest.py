"""A folder of tiktoken's ranks that tests may read; tiktoken itself deletes what it takes for damaged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared" / "tiktoken"


@pytest.fixture(scope="session")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the ranks; skips where there are none."""
    given = os.environ.get("TIKTOKEN_CACHE_DIR")
    source = Path(given) if given else SHARED
    if not source.is_dir():
        pytest.skip("neither TIKTOKEN_CACHE_DIR nor ../shared/tiktoken is there: tiktoken's ranks are not to be had")
    return shutil.copytree(source, tmp_path_factory.mktemp("tiktoken") / "ranks", copy_function=shutil.copyfile)
