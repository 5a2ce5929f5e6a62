"""The ways a model can be compiled; each makes the file that its runtime opens. Runs in the compiling process.

Every one is given the graph as ONNX, the file to write, the reference texts' token ids and masks, and the cores to
compile for, and takes of these what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rag_engine.embedding.compiled.programs import openvino_settings

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers

Samples: TypeAlias = Iterable["tuple[Numbers, Numbers]"]
Build: TypeAlias = Callable[[Path, Path, Samples, int], None]


def _openvino_int8(graph: Path, target: Path, samples: Samples, threads: int) -> None:
    import openvino

    from rag_engine.embedding.compiled.quantization import quantize

    core = openvino.Core()
    model = core.read_model(graph)
    quantize(model, samples)
    target.write_bytes(core.compile_model(model, "CPU", openvino_settings(threads)).export_model().getvalue())


def _openvino_bf16(graph: Path, target: Path, _samples: Samples, threads: int) -> None:
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", openvino_settings(threads))
    target.write_bytes(compiled.export_model().getvalue())


def _onnxruntime_int8(graph: Path, target: Path, _samples: Samples, _threads: int) -> None:
    import logging

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # it recommends a preparation that changes nothing here
    quantize_dynamic(
        str(graph),
        str(target),
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gather"],
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _onnxruntime_fp32(graph: Path, target: Path, _samples: Samples, _threads: int) -> None:
    target.write_bytes(graph.read_bytes())


CANDIDATES: Mapping[str, Build] = {
    "openvino-int8": _openvino_int8,
    "openvino-bf16": _openvino_bf16,
    "onnxruntime-int8": _onnxruntime_int8,
    "onnxruntime-fp32": _onnxruntime_fp32,
}
