"""Records of an ingest: how far it is, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.types.document import SourceFailure


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What a loader may take out of one file, and with what it may open it.

    ``max_characters`` caps each document. ``passwords`` are tried one after the other on what is encrypted. For what
    holds files in itself: ``max_depth`` is how many such containers are opened, one within the other (0: none),
    ``max_members`` how many files come out of one source and ``max_unpacked_bytes`` how many bytes, in all.
    ``fatal_after`` says which of these files ended their parser before and are passed over now: how many records come
    before each, and the code of its failure.
    """

    max_characters: int
    passwords: tuple[str, ...] = field(default=(), repr=False)
    max_depth: int = 3
    max_members: int = 100_000
    max_unpacked_bytes: int = 1 << 30
    fatal_after: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """How far an ingest is.

    ``stage`` is ``scan`` (which files must be read), ``read`` (they are read, chunked, embedded and written, all at
    once) or ``index``. ``done`` and ``total`` are bytes of sources in that stage. ``documents`` and ``chunks``
    are committed, the last of them with ``commit``; ``read`` and ``chunked`` count documents, ``embedded`` texts
    that the stages before have got through. ``documents_per_second`` counts those committed; it and ``seconds_left``,
    which goes by the bytes, are None until they can be told.
    """

    stage: str
    done: int
    total: int
    documents: int
    chunks: int
    commit: int
    read: int = 0
    chunked: int = 0
    embedded: int = 0
    documents_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """Documents by what happened to them; ``failed`` counts files and single records that could not be read,
    ``copies`` files with the bytes of another one, whose documents theirs are."""

    added: int = 0
    updated: int = 0
    moved: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0
    copies: int = 0


@dataclass(frozen=True, slots=True)
class ChunkCounts:
    """Chunks by what happened to them; ``reused`` ones kept or found their vector."""

    added: int = 0
    reused: int = 0
    deleted: int = 0
    total: int = 0


# How many entries of the truncation ledger a report or a status names.
TRUNCATIONS_TOLD = 100


@dataclass(frozen=True, slots=True)
class TruncatedDocument:
    """One entry of the truncation ledger: ``kept`` of ``of`` things of a document, named by ``what``, got through
    ``stage``: ``loader``, or ``embedder``, the model that reads a chunk only up to its window."""

    document: str
    stage: str
    what: str
    kept: int
    of: int

    def __str__(self) -> str:
        return f"{self.kept:,} of {self.of:,} {self.what}"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did. ``embedded`` counts texts that went through the model. ``truncated`` counts what was left
    out of documents that it read, or will not be read of their chunks by the model; ``truncations`` names the first.

    ``stages`` gives the seconds that the ingest itself spent in each stage: ``hash``, ``embed``, ``commit`` and
    ``index`` are its own work. Files are parsed and chunked in other processes meanwhile; ``parse`` and ``chunk``
    are what it waited for these, with the little that it did itself. So the stages add up to no more than ``seconds``.
    """

    index: str
    documents: DocumentCounts
    chunks: ChunkCounts
    embedded: int
    truncated: int
    truncations: tuple[TruncatedDocument, ...]
    failures: tuple[SourceFailure, ...]
    seconds: float
    commit: int
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IngestEstimate:
    """What an ingest would take, told from a sample; nothing was written.

    ``files`` and ``bytes`` are those that would be read, ``unchanged`` the files that would not. ``documents``,
    ``chunks``, ``tokens``, ``seconds`` and ``disk_bytes`` are estimates for them all, from ``sampled_files`` of
    them (``sampled_bytes``); ``exact`` says that the sample was everything. ``failures`` are the sample's, and
    what could not be looked into.
    """

    files: int
    bytes: int
    unchanged: int
    documents: int
    chunks: int
    tokens: int
    seconds: float
    disk_bytes: int
    sampled_files: int
    sampled_bytes: int
    exact: bool
    failures: tuple[SourceFailure, ...]
