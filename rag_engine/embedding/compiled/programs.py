"""A compiled model that runs: token ids in, unit vectors out; one class for each runtime."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag_engine.errors import EmbeddingError, OutOfMemoryError

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

# Beyond this, more streams only take memory: each has buffers of its own.
MOST_STREAMS = 8
# How runtimes say that there is no more memory, or none for another thread.
_SHORTAGES = ("bad_alloc", "can't alloc", "allocate memory", "Resource temporarily unavailable")


class Program(Protocol):
    """A compiled graph of model, pooling and normalisation. Safe to use from ``streams`` threads."""

    @property
    def streams(self) -> int:
        """How many threads may run it at once with profit."""
        ...

    @property
    def length_step(self) -> int:
        """Lengths are best multiples of this: some runtimes prepare themselves anew for every new shape."""
        ...

    def run(self, ids: Numbers, mask: Numbers) -> Vectors:
        """Vectors, shape (texts, dimension), of token ids and attention mask, shape (texts, tokens) each."""
        ...


class OpenVinoProgram:
    """An OpenVINO model, compiled for this processor and exported as a blob."""

    length_step = 16

    def __init__(self, blob: Path, *, threads: int) -> None:
        """``threads`` must be what the blob was compiled for: see ``openvino_settings``."""
        import numpy as np
        import openvino

        settings = openvino_settings(threads)
        # Handed over as a map of the file: its weights are not copied once more.
        content = openvino.Tensor(np.memmap(blob, dtype=np.uint8, mode="r"))
        compiled = openvino.Core().import_model(content, "CPU", settings)
        self.streams: int = settings["NUM_STREAMS"]
        self._inputs = [port.get_any_name() for port in compiled.inputs]
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(self.streams):
            self._requests.put(compiled.create_infer_request())
        # The first inference must not be made by two threads: the binding registers its types under a lock of C++ while
        # it waits for Python's, and stands still for good (seen with 2026.4).
        self.run(np.ones((1, 2), dtype=np.int64), np.ones((1, 2), dtype=np.int64))

    def run(self, ids: Numbers, mask: Numbers) -> Vectors:
        """Vectors, shape (texts, dimension)."""
        request = self._requests.get()
        try:
            with _errors_told("openvino cannot run the model"):
                request.infer(feeds(self._inputs, ids, mask), share_inputs=True)
            vectors: Vectors = request.get_output_tensor(0).data.copy()
        finally:
            self._requests.put(request)
        return vectors


class OnnxRuntimeProgram:
    """An ONNX file in ONNX Runtime."""

    length_step = 1
    streams = 1  # one run uses all threads

    def __init__(self, file: Path, *, threads: int) -> None:
        # Otherwise the library writes a telemetry file, read when it is imported.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._inputs = [port.name for port in self._session.get_inputs()]

    def run(self, ids: Numbers, mask: Numbers) -> Vectors:
        """Vectors, shape (texts, dimension)."""
        with _errors_told("onnxruntime cannot run the model"):
            vectors: Vectors = self._session.run(None, feeds(self._inputs, ids, mask))[0]
        return vectors


def open_program(runtime: str, file: Path, *, threads: int) -> Program:
    """The program in ``file``, for the runtime's name as ``candidates`` gives it.

    Raises:
        EmbeddingError: the runtime is not installed, or refuses the file.
    """
    with _errors_told(f"{runtime} cannot open {file.name}"):
        if runtime.startswith("openvino"):
            return OpenVinoProgram(file, threads=threads)
        return OnnxRuntimeProgram(file, threads=threads)


@contextlib.contextmanager
def _errors_told(what: str) -> Iterator[None]:
    """Errors of a runtime, each of which has its own, as the engine's; a shortage of memory as such."""
    try:
        yield
    except ImportError as error:
        raise EmbeddingError(f"{what}: {error}", hint="pip install rag_engine anew") from error
    except MemoryError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        if any(sign in str(error) for sign in _SHORTAGES):
            raise OutOfMemoryError(
                f"{what}: there is not enough memory ({reason})",
                hint="give the process more memory, and run the same command again: it goes on where it stood",
            ) from error
        raise EmbeddingError(f"{what}: {reason}") from error


def openvino_settings(threads: int) -> dict[str, Any]:
    """How a blob is compiled: a stream a core, since short matrices do not keep two cores of one stream busy."""
    return {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": min(threads, MOST_STREAMS),
        "INFERENCE_PRECISION_HINT": "bf16",  # taken where the processor has it, else single precision
    }


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def feeds(inputs: list[str], ids: Numbers, mask: Numbers) -> dict[str, Numbers]:
    """What a graph with these inputs is given."""
    known = {"input_ids": ids, "attention_mask": mask}
    return {name: known[name] if name in known else ids * 0 for name in inputs}
