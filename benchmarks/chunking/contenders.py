"""The chunkers that can be named on the command line, and how a name is read."""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.chunking.baselines import AverageSizeChunker, ClusterChunker, PercentileChunker, RecursiveChunker
from rag_engine.errors import UsageError
from rag_engine.protocols import Chunker, Embedder
from rag_engine.semantic_chunking import FixedWindowChunker

OURS = "rag_engine"
DEFAULT = (
    OURS,
    "rag_engine-96",
    "rag_engine-128",
    "rag_engine-160",
    "rag_engine-256",
    "fixed-64",
    "fixed-128",
    "fixed-256",
    "fixed-256/128",
    "recursive-64",
    "recursive-128",
    "recursive-200",
    "recursive-256",
    "recursive-256/128",
    "recursive-400",
    "recursive-400/200",
    "percentile-95",
    "average-128",
    "average-300",
    "cluster-100",
    "cluster-200",
    "cluster-400",
)
_NAME = re.compile(r"([a-z_]+)(?:-(\d+)(?:/(\d+))?)?")
_BASELINES: dict[str, Callable[[Embedder, int, int], Chunker]] = {
    "fixed": lambda embedder, tokens, overlap: FixedWindowChunker(
        tokenizer=embedder.tokenizer, window_tokens=tokens, overlap_tokens=overlap
    ),
    "recursive": lambda embedder, tokens, overlap: RecursiveChunker(
        tokenizer=embedder.tokenizer, chunk_tokens=tokens, overlap_tokens=overlap
    ),
    "percentile": lambda embedder, percentile, _: PercentileChunker(embedder=embedder, percentile=percentile),
    "average": lambda embedder, tokens, _: AverageSizeChunker(embedder=embedder, average_tokens=tokens),
    "cluster": lambda embedder, tokens, _: ClusterChunker(embedder=embedder, most_tokens=tokens),
}
_WITH_OVERLAP = ("fixed", "recursive")


def own_target(name: str) -> int | None:
    """The ``chunking.target_tokens`` that ``rag_engine-T`` names; None for plain ``rag_engine``, whose settings are the
    defaults.

    Raises:
        UsageError: the name is not of that form.
    """
    _, number, _ = _parts(name)
    return number


def is_own(name: str) -> bool:
    """Whether the name is of this project's engine."""
    return _parts(name)[0] == OURS


def baseline(name: str, embedder: Embedder) -> Chunker:
    """The baseline of a name: ``fixed-W``, ``fixed-W/OVERLAP``, ``recursive-W``, ``recursive-W/OVERLAP``,
    ``percentile-P``, ``average-W`` or ``cluster-W``. Sizes are in the embedder's tokens, special tokens included.

    Raises:
        UsageError: the name is not of these forms.
        ConfigurationError: the chunker refuses its sizes.
    """
    family, number, overlap = _parts(name)
    if number is None:
        raise _unknown(name)
    return _BASELINES[family](embedder, number, overlap)


def check(name: str) -> str:
    """The name itself.

    Raises:
        UsageError: no chunker is named so.
    """
    if not is_own(name) and _parts(name)[1] is None:
        raise _unknown(name)
    return name


def _parts(name: str) -> tuple[str, int | None, int]:
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in (OURS, *_BASELINES) or (match[3] and match[1] not in _WITH_OVERLAP):
        raise _unknown(name)
    return match[1], int(match[2]) if match[2] else None, int(match[3] or 0)


def _unknown(name: str) -> UsageError:
    families = [f"{family}-N" + ("[/OVERLAP]" if family in _WITH_OVERLAP else "") for family in _BASELINES]
    return UsageError(f"no chunker {name}", hint=f"known are {OURS}, {OURS}-N, {', '.join(families)}")
