"""A compiled model as an Embedder; neither torch nor sentence-transformers is imported."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine import tracing
from rag_engine.embedding.compiled.encoding import TextEncoder
from rag_engine.embedding.compiled.manifest import Manifest
from rag_engine.embedding.compiled.programs import Program, open_program
from rag_engine.embedding.identity import read_identity
from rag_engine.embedding.model_source import ModelFiles
from rag_engine.errors import EmbeddingError
from rag_engine.protocols import EmbedderIdentity
from rag_engine.token_counter import ModelTokenizer
from rag_engine.tracing import names

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors


class CompiledEmbedder:
    """Documents go through the program that does most a second, questions through the one that answers soonest.

    A program is opened at its first text. Questions go one by one: a program that fits its ranges to what it is given
    would answer another vector to the same question beside another.
    """

    def __init__(self, *, files: ModelFiles, folder: Path, manifest: Manifest) -> None:
        """``folder`` holds the programs that ``manifest`` lists.

        Raises:
            ModelNotFoundError: the model's folder has no ``tokenizer.json``.
        """
        if manifest.documents is None or manifest.questions is None:
            raise ValueError("the manifest names no programs")
        self._files = files
        self._folder = folder
        self._manifest = manifest
        self._documents, self._questions = manifest.documents, manifest.questions
        self._opening = threading.Lock()
        self._programs: dict[str, Program] = {}
        self.tokenizer = ModelTokenizer(files.folder / "tokenizer.json", name=files.name)

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """What decides the vectors; reading it does not load the weights into memory."""
        documents, questions = self._manifest.described(self._documents), self._manifest.described(self._questions)
        runtime = documents if documents == questions else f"{documents}, questions on {questions}"
        return read_identity(self._files, tokenizer=self.tokenizer, runtime=runtime)

    @cached_property
    def _encoder(self) -> TextEncoder:
        window = self._files.read_json("sentence_bert_config.json").get("max_seq_length")
        window = window or self._files.read_json("config.json").get("max_position_embeddings")
        return TextEncoder.of_folder(self._files.folder, max_tokens=int(window))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit float32 rows for documents' texts, shape (len(texts), dimension)."""
        if not texts:
            return self._no_rows()
        from rag_engine.embedding.compiled.running import run_sorted

        with self._span(len(texts)):
            encoder = self._encoder
            program = self._program(self._documents)
            rows = encoder.documents(texts)
            return self._checked(run_sorted(program, rows, padding=encoder.padding, limit=encoder.max_tokens))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit float32 rows for questions, with the model's query prompt where it has one."""
        if not texts:
            return self._no_rows()
        import numpy as np

        from rag_engine.embedding.compiled.batches import length_sorted_batches

        with self._span(len(texts)):
            encoder = self._encoder
            program = self._program(self._questions)
            one_by_one = (
                length_sorted_batches(
                    [row], padding=encoder.padding, length_step=program.length_step, limit=encoder.max_tokens
                )
                for row in encoder.questions(texts)
            )
            return self._checked(
                np.concatenate([program.run(ids, mask) for batches in one_by_one for _, ids, mask in batches])
            )

    def _no_rows(self) -> Vectors:
        import numpy as np

        return np.empty((0, self.identity.dimension), dtype=np.float32)

    def _span(self, texts: int) -> AbstractContextManager[object]:
        return tracing.span(
            f"embeddings {self._files.name}",
            {
                names.OPERATION: "embeddings",
                names.REQUEST_MODEL: self._files.name,
                names.EMBEDDING_DIMENSION: self.identity.dimension,
                names.TEXTS: texts,
            },
        )

    def _program(self, name: str) -> Program:
        with self._opening:
            if name not in self._programs:
                with tracing.span("load model", {names.REQUEST_MODEL: self._files.name}):
                    file = self._folder / self._manifest.files[name].name
                    self._programs[name] = open_program(name, file, threads=self._manifest.threads)
            return self._programs[name]

    def _checked(self, rows: Vectors) -> Vectors:
        import numpy as np

        if rows.shape[1] != self.identity.dimension or not np.isfinite(rows).all():
            raise EmbeddingError(
                f"the compiled model in {self._folder} gave vectors of {rows.shape[1]} dimensions or values that are "
                "not finite",
                hint=f"remove {self._folder}: it is compiled anew",
            )
        return rows
