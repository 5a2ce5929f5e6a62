"""Reranking: the first passages judged once more by a cross-encoder, which reads each together with the question.

Nogueira and Cho, "Passage re-ranking with BERT" (2019). What the first stage said keeps a share of the score, as a
cross-encoder sees one passage at a time and not what the rest of its document says.
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine import tracing
from rag_engine.errors import RerankingError
from rag_engine.protocols import Reranker
from rag_engine.tracing import names
from rag_engine.types.retrieval import Passage

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_ENDING = "ForSequenceClassification"


class CrossEncoderReranker:
    """Any cross-encoder of sentence-transformers with one score a pair; torch is imported at the first question."""

    def __init__(self, *, name: str, folder: Path, batch_size: int = 16) -> None:
        """``folder`` holds the model that is called ``name``; its configuration is read here, its weights later.

        Raises:
            RerankingError: what is in the folder is no cross-encoder with one score.
        """
        self._name = name
        self._folder = folder
        self._batch_size = batch_size
        self._using = threading.Lock()
        _check(name, folder)

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """The model's logit for each text, before any squashing, higher for one that fits better.

        Raises:
            RerankingError: the model cannot be loaded, fails, or gives a number that is not finite.
        """
        if not texts:
            return []
        attributes: dict[str, str | int] = {
            names.OPERATION: "rerank",
            names.REQUEST_MODEL: self._name,
            names.TEXTS: len(texts),
        }
        # One question at a time: the model is built once, and its tokenizer must not be set up by two threads.
        with self._using, tracing.span(f"rerank {self._name}", attributes):
            model = self._model
            try:
                given = model.predict(
                    [(question, text) for text in texts],
                    batch_size=self._batch_size,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            except Exception as error:
                raise RerankingError(f"the reranker {self._name} failed: {type(error).__name__}: {error}") from error
        found = [float(score) for score in given.reshape(-1)]
        if len(found) != len(texts) or not all(map(math.isfinite, found)):
            raise RerankingError(
                f"the reranker {self._name} gave {len(found)} scores for {len(texts)} texts, or one that is not finite"
            )
        return found

    @cached_property
    def _model(self) -> CrossEncoder:
        with tracing.span("load model", {names.REQUEST_MODEL: self._name}):
            # Read when the libraries are imported; the files are here, nothing may go looking for them.
            os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
            from sentence_transformers import CrossEncoder
            from torch.nn import Identity
            from transformers.utils import logging

            logging.set_verbosity_error()  # type: ignore[no-untyped-call]
            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                # Without an activation: a sigmoid would make the best passages all the same.
                return CrossEncoder(str(self._folder), device="cpu", local_files_only=True, activation_fn=Identity())
            except Exception as error:
                raise RerankingError(
                    f"the reranker in {self._folder} cannot be loaded: {type(error).__name__}: {error}"
                ) from error


def reranked(
    reranker: Reranker, question: str, passages: Sequence[Passage], *, depth: int, weight: float
) -> list[Passage]:
    """Passages by ``1 - weight`` of their score and ``weight`` of the reranker's, best first, ties as they were.

    The reranker reads the first ``depth``; its scores are moved to 0 for the worst and 1 for the best of these, and
    stand raw in ``scores`` under ``rerank``. What is below ``depth`` stays below, in its order.
    """
    judged, others = list(passages[:depth]), passages[depth:]
    if not judged:
        return []
    raw = [float(score) for score in reranker.scores(question, [passage.text for passage in judged])]
    least, width = min(raw), max(raw) - min(raw)
    mixed = [
        replace(
            passage,
            score=(1 - weight) * passage.score + weight * ((score - least) / width if width > 0 else 0.5),
            scores={**passage.scores, "rerank": score},
        )
        for passage, score in zip(judged, raw, strict=True)
    ]
    mixed.sort(key=lambda passage: -passage.score)  # stable
    floor = mixed[-1].score
    below = [replace(passage, score=min(passage.score, floor)) for passage in others]
    return [replace(passage, rank=rank) for rank, passage in enumerate([*mixed, *below], start=1)]


def _check(name: str, folder: Path) -> None:
    """A model without a trained head would be given a random one, and rank at random without a word."""
    try:
        configuration = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        architectures = [str(architecture) for architecture in configuration.get("architectures") or ()]
        labels = len(configuration["id2label"]) if "id2label" in configuration else configuration.get("num_labels", 2)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RerankingError(f"the reranker {name} has no readable config.json in {folder}: {error}") from error
    if not any(architecture.endswith(_ENDING) for architecture in architectures):
        shown = ", ".join(architectures) or "of no architecture"
        raise RerankingError(f"the model {name} is no cross-encoder: it is {shown}, not one named …{_ENDING}")
    if labels != 1:
        raise RerankingError(f"the model {name} sorts pairs into {labels} classes, where a reranker gives one score")
