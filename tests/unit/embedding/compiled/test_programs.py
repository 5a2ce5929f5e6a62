"""What a compiled program says when it cannot be opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rag_engine.embedding.compiled.programs import open_program
from rag_engine.errors import EmbeddingError

IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import numpy, onnxruntime
from rag_engine.embedding.compiled.programs import open_program
from rag_engine.errors import OutOfMemoryError
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (8 << 20),) * 2)
try:
    open_program("onnxruntime-int8", Path(sys.argv[1]), threads=1)
except (MemoryError, OutOfMemoryError) as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits an address space as Linux does")
@pytest.mark.usefixtures("compiled_embedder")
def test_a_shortage_of_memory_is_told_as_such(model_cache: Path) -> None:
    program = next(model_cache.rglob("onnxruntime-*.program"), None)
    if program is None:
        pytest.skip("no model runs on ONNX Runtime here")
    command = [sys.executable, "-c", IN_LITTLE_MEMORY, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "MemoryError" in done.stdout


@pytest.mark.parametrize("runtime", ["openvino-int8", "onnxruntime-fp32"])
def test_a_file_that_is_no_program_is_told_in_one_line(runtime: str, tmp_path: Path) -> None:
    file = tmp_path / "some.program"
    file.write_bytes(b"no program at all" * 100)
    with pytest.raises(EmbeddingError, match="cannot open some") as caught:
        open_program(runtime, file, threads=1)
    assert "\n" not in caught.value.message
