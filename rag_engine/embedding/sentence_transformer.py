"""Any sentence-transformers model as an Embedder, on torch in single precision."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rag_engine import tracing
from rag_engine.embedding.identity import read_identity
from rag_engine.embedding.model_source import ModelFiles
from rag_engine.errors import EmbeddingError, ModelDamagedError
from rag_engine.protocols import EmbedderIdentity
from rag_engine.token_counter import ModelTokenizer
from rag_engine.tracing import names

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from rag_engine.protocols import Vectors

RUNTIME = "sentence-transformers, torch fp32"


class SentenceTransformerEmbedder:
    """Embeds with sentence-transformers; torch is imported and the weights are read at the first text."""

    def __init__(self, *, files: ModelFiles, batch_size: int = 32) -> None:
        """Reads the model's configuration, not its weights.

        Raises:
            ModelDamagedError: a configuration file cannot be read or lacks what it must say.
            ModelNotFoundError: the folder has no ``tokenizer.json``.
        """
        self._files = files
        self._batch_size = batch_size
        self._loading = threading.Lock()
        self.tokenizer = ModelTokenizer(files.folder / "tokenizer.json", name=files.name)

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """What decides the vectors; reading it does not load the weights into memory."""
        return read_identity(self._files, tokenizer=self.tokenizer, runtime=RUNTIME)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit float32 rows for documents' texts, shape (len(texts), dimension)."""
        return self._encode(texts, query=False)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit float32 rows for questions, with the model's query prompt where it has one."""
        return self._encode(texts, query=True)

    def _encode(self, texts: Sequence[str], *, query: bool) -> Vectors:
        import numpy as np

        if not texts:
            return np.empty((0, self.identity.dimension), dtype=np.float32)
        encoder = self._model
        encode = encoder.encode_query if query else encoder.encode_document
        with tracing.span(
            f"embeddings {self._files.name}",
            {
                names.OPERATION: "embeddings",
                names.REQUEST_MODEL: self._files.name,
                names.EMBEDDING_DIMENSION: self.identity.dimension,
                names.TEXTS: len(texts),
            },
        ):
            vectors = encode(
                list(texts),
                batch_size=self._batch_size,
                convert_to_numpy=True,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if rows.shape != (len(texts), self.identity.dimension) or not np.isfinite(rows).all():
            raise EmbeddingError(
                f"the model {self._files.name} gave vectors of shape {rows.shape} or values that are not finite",
                hint="use another model",
            )
        return rows

    @cached_property
    def _model(self) -> SentenceTransformer:
        with self._loading, tracing.span("load model", {names.REQUEST_MODEL: self._files.name}):
            # Both are read when the library is imported; the files are here, nothing may go looking for them.
            os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.set_verbosity_error()  # type: ignore[no-untyped-call]
            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                return SentenceTransformer(str(self._files.folder), device="cpu", local_files_only=True)
            except Exception as error:
                raise ModelDamagedError(
                    f"the model in {self._files.folder} cannot be loaded: {type(error).__name__}: {error}"
                ) from error
