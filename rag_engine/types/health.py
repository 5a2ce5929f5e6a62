"""Records of an index's state: what it holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rag_engine.types.ingestion import TruncatedDocument
    from rag_engine.types.suspicion import SuspiciousDocument


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: what, why, and how to mend it."""

    what: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class QuarantinedSource:
    """A source that could not be ingested: why, when and how often.

    ``sha256`` is None where another try may succeed with the same bytes; ``loader_versions`` are
    those that failed. Times are ISO 8601 in UTC.
    """

    source: str
    sha256: str | None
    loader_versions: str
    code: str
    error: str
    hint: str
    first_failed: str
    last_failed: str
    attempts: int

    @property
    def history(self) -> str:
        """How often it failed, and when, in words."""
        if self.attempts == 1:
            return f"failed once, {self.last_failed}"
        return f"failed {self.attempts} times, first {self.first_failed}, last {self.last_failed}"


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A ``document`` that is nearly the same as an earlier one, ``of``.

    ``similarity`` is the Jaccard similarity of their word 5-grams; ``dropped`` says that it is not searched.
    """

    document: str
    of: str
    similarity: float
    dropped: bool


@dataclass(frozen=True, slots=True)
class EmbeddingPath:
    """What embeds documents and questions here, and why; what was measured of each candidate, and where it lies."""

    documents: str
    questions: str
    why: str
    candidates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class DenseState:
    """How ``count`` vectors are searched: ``exact``, all compared, or ``compressed``, at least ``candidates`` compared.

    ``recall`` is recall@10 against the exact search, measured on the index's own vectors; ``target``
    is what it must reach. ``bytes`` are those of the files.
    """

    kind: Literal["exact", "compressed"]
    count: int
    recall: float
    target: float
    candidates: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """An index's calibration: ``self-made`` or the gold set that it was made from, at which commit, and from how many
    questions. ``risk`` and ``threshold`` are None where no risk was asked for. ``ignored`` says why it is not used."""

    source: str = ""
    commit: int = 0
    questions: int = 0
    risk: float | None = None
    threshold: float | None = None
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What an index holds. ``copies`` counts sources with the bytes of another one. ``caches`` says for each of them
    the commit that its files reflect, or what is wrong with them; ``dense`` is None where its files cannot be
    opened. ``truncated`` counts what was left out of documents or is not read of their chunks by the model,
    ``suspicious`` documents that hold something suspicious; ``truncations`` and ``suspicions`` name the first of
    them by document. ``calibration`` is None where there is none. ``sandbox`` is what confines the parser on this
    system."""

    index: str
    folder: str
    commit: int
    documents: int
    chunks: int
    sources: int
    copies: int
    near_duplicates: tuple[NearDuplicate, ...]
    lock: Mapping[str, Any] | None
    embedding: EmbeddingPath
    caches: Mapping[str, int | str]
    dense: DenseState | None
    calibration: CalibrationState | None
    truncated: int
    truncations: tuple[TruncatedDocument, ...]
    suspicious: int
    suspicions: tuple[SuspiciousDocument, ...]
    quarantined: tuple[QuarantinedSource, ...]
    sandbox: tuple[str, ...]
    bytes_on_disk: int
