"""What decides a model's vectors, read from its configuration; the weights are not loaded for it."""

from __future__ import annotations

import hashlib
import json

from rag_engine.embedding.model_source import ModelFiles
from rag_engine.embedding.prompts import document_prompt
from rag_engine.errors import ModelDamagedError
from rag_engine.protocols import EmbedderIdentity, Tokenizer


def read_identity(files: ModelFiles, *, tokenizer: Tokenizer, runtime: str) -> EmbedderIdentity:
    """The identity of the model in ``files`` on ``runtime``.

    Raises:
        ModelDamagedError: a configuration file cannot be read or lacks what it must say.
    """
    configuration = files.read_json("config.json")
    modules = files.read_json("modules.json") or [{"type": "Transformer", "path": ""}, {"type": "Pooling"}]
    pooling, dimension, normalized = "mean", configuration.get("hidden_size"), False
    for module in modules:
        kind = str(module["type"]).rsplit(".", 1)[-1]
        settings = files.read_json(f"{module.get('path', '')}/config.json") if module.get("path") else {}
        if kind == "Pooling" and settings:
            pooling = json.dumps(
                {key: value for key, value in sorted(settings.items()) if value is True or key == "pooling_mode"}
            )
            dimension = settings.get("word_embedding_dimension") or settings.get("embedding_dimension") or dimension
        elif kind == "Dense":
            dimension = settings.get("out_features", dimension)
        normalized = normalized or kind == "Normalize"
    window = files.read_json("sentence_bert_config.json").get("max_seq_length")
    window = window or configuration.get("max_position_embeddings")
    if not isinstance(dimension, int) or not isinstance(window, int):
        raise ModelDamagedError(f"{files.folder} does not say its dimension and window")
    prompts = read_prompts(files)
    return EmbedderIdentity(
        model=files.name,
        weights=files.weights,
        tokenizer=hashlib.sha256((files.folder / "tokenizer.json").read_bytes()).hexdigest(),
        pooling=pooling,
        normalized=normalized,
        prompts=json.dumps(prompts, sort_keys=True),
        dimension=dimension,
        # What the prompt before each document leaves of the window.
        max_tokens=window - (tokenizer.count([document_prompt(prompts)])[0] if document_prompt(prompts) else 0),
        runtime=runtime,
    )


def read_prompts(files: ModelFiles) -> dict[str, str]:
    """The model's prompts by name."""
    return dict(files.read_json("config_sentence_transformers.json").get("prompts") or {})
