"""Eight-bit integers for OpenVINO: FakeQuantize operators in front of every matrix product with constant weights.

Weights are symmetric with a scale a column; activations are asymmetric, their range the mean over reference texts of
each text's smallest and largest value, which cuts off rare outliers (Jacob et al. 2018, arXiv:1712.05877). Attention's
own products stay as they are: their fusion is worth more. OpenVINO turns the operators into integer kernels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers

Place: TypeAlias = tuple[str, int]  # of an output: its operator's name and its number
_ACTIVATION_LEVELS, _WEIGHT_LEVELS = 256, 255


def quantize(model: Any, inputs: Iterable[tuple[Numbers, Numbers]]) -> None:
    """Puts FakeQuantize operators into an ``openvino.Model``.

    Args:
        model: changed in place.
        inputs: token ids and attention masks of the reference texts.
    """
    from openvino import opset13 as operators

    ranges = _activation_ranges(model, inputs)
    quantized: dict[Place, Any] = {}
    for product in _weighted_products(model):
        source, weights = product.input_value(0), product.input_value(1)
        place = _place(source)
        if place not in quantized:
            low, high = (operators.constant(np.float32(bound)) for bound in _with_exact_zero(*ranges[place]))
            quantized[place] = operators.fake_quantize(source, low, high, low, high, _ACTIVATION_LEVELS).output(0)
        axis = 1 if product.get_attributes()["transpose_b"] else 0
        largest = np.abs(weights.get_node().data).max(axis=axis, keepdims=True).astype(np.float32)
        low, high = operators.constant(-largest), operators.constant(largest)
        product.input(0).replace_source_output(quantized[place])
        product.input(1).replace_source_output(
            operators.fake_quantize(weights, low, high, low, high, _WEIGHT_LEVELS).output(0)
        )
    model.validate_nodes_and_infer_types()


def _weighted_products(model: Any) -> list[Any]:
    return [
        operator
        for operator in model.get_ordered_ops()
        if operator.get_type_name() == "MatMul" and operator.input_value(1).get_node().get_type_name() == "Constant"
    ]


def _place(output: Any) -> Place:
    return output.get_node().get_friendly_name(), output.get_index()


def _activation_ranges(model: Any, inputs: Iterable[tuple[Numbers, Numbers]]) -> dict[Place, tuple[float, float]]:
    """The range of what enters each product, from a copy of the model that tells it."""
    import openvino
    from openvino import opset13 as operators

    from rag_engine.embedding.compiled.programs import feeds

    probe = model.clone()
    sources = {_place(product.input_value(0)): product.input_value(0) for product in _weighted_products(probe)}
    told = len(probe.outputs)
    extremes = []
    for source in sources.values():
        axes = operators.constant(np.arange(source.get_partial_shape().rank.get_length(), dtype=np.int64))
        extremes += [operators.reduce_min(source, axes), operators.reduce_max(source, axes)]
    probe.add_results([operators.result(extreme) for extreme in extremes])
    compiled = openvino.Core().compile_model(probe, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    names = [port.get_any_name() for port in compiled.inputs]
    request = compiled.create_infer_request()
    seen = []
    for ids, mask in inputs:
        request.infer(feeds(names, ids, mask))
        seen.append([float(request.get_output_tensor(told + i).data) for i in range(len(extremes))])
    means = np.asarray(seen).mean(axis=0)
    return {place: (means[2 * i], means[2 * i + 1]) for i, place in enumerate(sources)}


def _with_exact_zero(low: float, high: float) -> tuple[float, float]:
    """The range moved by less than a step so that zero, which padding is, is one of its levels."""
    low, high = min(low, 0.0), max(high, 1e-6)
    step = (high - low) / (_ACTIVATION_LEVELS - 1)
    zero = round(-low / step)
    return -zero * step, (_ACTIVATION_LEVELS - 1 - zero) * step
