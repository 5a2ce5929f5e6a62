"""From sentence-transformers to ONNX: model, pooling and normalisation in one graph. Runs in the compiling process."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_engine.errors import EmbeddingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_OPSET = 17


def load_original(folder: Path) -> SentenceTransformer:
    """The model in torch, with attention written out: other forms end in operators that no runtime fuses."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="true")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    settings: dict[str, Any] = {"device": "cpu", "local_files_only": True}
    try:
        return SentenceTransformer(str(folder), model_kwargs={"attn_implementation": "eager"}, **settings)
    except (TypeError, ValueError):  # an architecture without that choice
        return SentenceTransformer(str(folder), **settings)


def export_onnx(model: SentenceTransformer, target: Path) -> None:
    """Writes the model's graph, unit vectors at its end, with any number of texts and tokens.

    Raises:
        EmbeddingError: the model has parts that depend on more than token ids.
    """
    import torch

    if any(getattr(module, "include_prompt", True) is False for module in model) and any(model.prompts.values()):
        raise EmbeddingError("its pooling leaves the prompt out, which a compiled graph cannot know")
    names = [
        name for name in ("input_ids", "attention_mask", "token_type_ids") if name in model.tokenizer.model_input_names
    ]

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            vectors = self.model(dict(zip(names, inputs, strict=True)))["sentence_embedding"]
            return torch.nn.functional.normalize(vectors, dim=1)

    ids = torch.ones(2, 16, dtype=torch.long)
    example = tuple(ids * (name != "token_type_ids") for name in names)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Graph().eval(),
            example,
            str(target),
            input_names=names,
            output_names=["vectors"],
            dynamic_axes={**{name: {0: "texts", 1: "tokens"} for name in names}, "vectors": {0: "texts"}},
            opset_version=_OPSET,
            dynamo=False,
        )
