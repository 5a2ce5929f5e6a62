"""Records of an ingest: how far it is, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.types.document import SourceFailure


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """How far an ingest is. ``done`` and ``total`` are bytes of sources in the stage that is running."""

    stage: str
    done: int
    total: int
    documents: int
    chunks: int
    commit: int


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """Documents by what happened to them; ``failed`` counts files and single records that could not be read."""

    added: int = 0
    updated: int = 0
    moved: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ChunkCounts:
    """Chunks by what happened to them; ``reused`` ones kept or found their vector."""

    added: int = 0
    reused: int = 0
    deleted: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did. ``embedded`` counts texts that went through the model, ``truncated`` chunks that
    the model could not read whole; ``stages`` gives seconds per stage."""

    index: str
    documents: DocumentCounts
    chunks: ChunkCounts
    embedded: int
    truncated: int
    failures: tuple[SourceFailure, ...]
    seconds: float
    commit: int
    stages: Mapping[str, float] = field(default_factory=dict)
