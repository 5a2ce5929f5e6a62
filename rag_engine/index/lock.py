"""rag.lock.json: what an index was built with, and the canaries by which another embedder is recognised.

The catalog holds the same; the file is its copy for people, programs and version control.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_engine.errors import CatalogDamagedError, ModelMismatchError
from rag_engine.index.catalog import Catalog, Change
from rag_engine.index.files import write_text
from rag_engine.protocols import Embedder, EmbedderIdentity, Tokenizer

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

FILE_NAME = "rag.lock.json"
FORMAT = 1
META_KEY = "lock"
# Other weights are another model, unless they are the same ones in another file: these agree to six digits.
LEAST_CANARY_COSINE = 0.999
# The same weights on another runtime, perhaps in eight-bit integers on both sides, agree at least so far.
LEAST_RUNTIME_COSINE = 0.93
# One canary in so many is asked where weights, runtimes and all else have the same names: only a program that was
# damaged since would answer otherwise, and that answers every text otherwise.
_SAME_EVERYTHING_STEP = 4
CANARIES = (
    "The quick brown fox jumps over the lazy dog.",
    "How are refunds paid, and how long does it take?",
    "def binary_search(items, target): low, high = 0, len(items) - 1",
    "In 1905 Albert Einstein published four papers that changed physics.",
    "The mitochondrion is the powerhouse of the cell.",
    "SELECT name, COUNT(*) FROM orders GROUP BY name HAVING COUNT(*) > 3;",
    "Der Vertrag kann mit einer Frist von drei Monaten gekündigt werden.",
    "La fotosíntesis convierte la luz en energía química.",
    "黑豹队的防守只丢了 308 分，在联赛中排名第六。",
    "Все счастливые семьи похожи друг на друга.",
    "No refund is granted after 30 days, unless the product is faulty.",
    "A refund is granted after 30 days, even if the product is faulty.",
    "42",
    "https://example.org/a/b?c=d#e",
    "| year | revenue | cost |\n| 2024 | 3.1 M | 2.7 M |",
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light.",
)


@dataclass(frozen=True, slots=True)
class IndexLock:
    """What decides the content of an index: the embedder, the chunker and the loaders that made it."""

    embedder: EmbedderIdentity
    chunker: str
    loaders: Mapping[str, int]

    @property
    def fingerprint(self) -> str:
        """The loaders and their versions as text: what could not be read by these may be read by others."""
        return json.dumps(dict(self.loaders), sort_keys=True)

    def to_json(self) -> dict[str, Any]:
        """As it stands in rag.lock.json, without the canaries."""
        return {
            "format": FORMAT,
            "embedder": asdict(self.embedder),
            "chunker": self.chunker,
            "loaders": dict(self.loaders),
        }


def read_lock(catalog: Catalog) -> IndexLock | None:
    """The lock as the catalog has it; None before the first ingest."""
    stored = catalog.meta(META_KEY)
    if stored is None:
        return None
    try:
        fields = json.loads(stored)
        return IndexLock(EmbedderIdentity(**fields["embedder"]), fields["chunker"], fields["loaders"])
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogDamagedError(f"the catalog {catalog.path} holds a lock that cannot be read: {error}") from error


def set_lock(change: Change, lock: IndexLock, embedder: Embedder | None = None) -> None:
    """Stores the lock within a transaction; with ``embedder``, its canary vectors too."""
    change.set_meta(META_KEY, json.dumps(lock.to_json()))
    if embedder is not None:
        vectors = embedder.embed(CANARIES)
        change.set_canaries((text, row.astype("<f4").tobytes()) for text, row in zip(CANARIES, vectors, strict=True))


def check_embedder(catalog: Catalog, embedder: Embedder, *, as_questions: bool = False) -> None:
    """Refuses an embedder that answers the canaries differently from the one that built the index.

    With ``as_questions`` the canaries go the way of questions, which may be another program than that of documents;
    not where the model has prompts, by which the two ways differ.

    Raises:
        ModelMismatchError: says both models and the command that mends it.
    """
    canaries = catalog.canaries()
    lock = read_lock(catalog)
    if lock is None or not canaries:
        return
    if embedder.identity.dimension != lock.embedder.dimension:
        raise _mismatch(lock.embedder, embedder.identity, "their vectors have different dimensions")
    if lock.embedder == embedder.identity:
        canaries = canaries[::_SAME_EVERYTHING_STEP]
    prompted = any(json.loads(embedder.identity.prompts or "{}").values())
    embed = embedder.embed_queries if as_questions and not prompted else embedder.embed
    cosines = _cosines(embed([text for text, _ in canaries]), np.stack([vector for _, vector in canaries]))
    least = LEAST_RUNTIME_COSINE if _same_model(lock.embedder, embedder.identity) else LEAST_CANARY_COSINE
    if not cosines.min() >= least:
        raise _mismatch(
            lock.embedder, embedder.identity, f"on the index's canary texts they agree only to {cosines.min():.3f}"
        )


def _same_model(built: EmbedderIdentity, given: EmbedderIdentity) -> bool:
    """Whether two identities differ in nothing but the model's name and what runs it."""
    return replace(built, model="", runtime="") == replace(given, model="", runtime="")


def _cosines(rows: Vectors, others: Vectors) -> Vectors:
    product: Vectors = (rows * others).sum(axis=1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(others, axis=1)
    return product


def _mismatch(built: EmbedderIdentity, given: EmbedderIdentity, reason: str) -> ModelMismatchError:
    return ModelMismatchError(
        f"the index was built with {built.model} (weights {built.weights[:12]}), "
        f"not with {given.model} (weights {given.weights[:12]}): {reason}",
        hint=f"set embedding.model to {built.model}, or embed the index anew with: rag ingest --re-embed",
    )


def write_lock_file(folder: Path, catalog: Catalog) -> None:
    """Writes rag.lock.json as the catalog has it, where it is absent or differs."""
    wanted = _rendered(catalog)
    if wanted is not None and lock_file_differs(folder, catalog):
        write_text(folder / FILE_NAME, wanted)


def lock_file_differs(folder: Path, catalog: Catalog) -> bool:
    """Whether rag.lock.json says something else than the catalog."""
    wanted = _rendered(catalog)
    try:
        return wanted != (folder / FILE_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return wanted is not None


def _rendered(catalog: Catalog) -> str | None:
    lock = read_lock(catalog)
    if lock is None:
        return None
    canaries = [
        {"text": text, "vector": base64.b64encode(vector.tobytes()).decode()} for text, vector in catalog.canaries()
    ]
    return json.dumps({**lock.to_json(), "canaries": canaries}, indent=1, ensure_ascii=False) + "\n"


class LockedEmbedder:
    """An Embedder that answers only for the index it belongs to: before its first text, and
    whenever the index has been embedded anew, it answers the canaries."""

    def __init__(self, make: Callable[[], Embedder], *, catalog: Catalog) -> None:
        """``make`` is called when the embedder is first needed, and only then."""
        self._make = make
        self._catalog = catalog
        self._checked: str | None = None

    @cached_property
    def _inner(self) -> Embedder:
        return self._make()

    @property
    def identity(self) -> EmbedderIdentity:
        """The inner embedder's."""
        return self._inner.identity

    @property
    def tokenizer(self) -> Tokenizer:
        """The inner embedder's."""
        return self._inner.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder. Raises ModelMismatchError where it is not the index's."""
        return self._admitted(as_questions=False).embed(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder. Raises ModelMismatchError where it is not the index's."""
        return self._admitted(as_questions=True).embed_queries(texts)

    def _admitted(self, *, as_questions: bool) -> Embedder:
        # Another process may have embedded the index anew meanwhile, with another model.
        lock = self._catalog.meta(META_KEY)
        if lock != self._checked:
            check_embedder(self._catalog, self._inner, as_questions=as_questions)
            self._checked = lock
        return self._inner
