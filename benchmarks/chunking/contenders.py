"""The chunkers that can be named on the command line, and how a name is read."""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.chunking.baselines import AverageSizeChunker, ClusterChunker, PercentileChunker, RecursiveChunker
from rag_engine.config import Settings
from rag_engine.errors import UsageError
from rag_engine.protocols import Chunker, Embedder
from rag_engine.semantic_chunking import FixedWindowChunker

OURS, OUR_CHUNKS, OUR_STRUCTURE, OUR_ANSWER = _OWN = (
    "rag_engine",
    "rag_engine_chunks",
    "rag_engine_structure",
    "rag_engine_answer",
)
DEFAULT = (
    OURS,
    OUR_CHUNKS,
    OUR_ANSWER,
    "rag_engine-64",
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


def own_settings(name: str) -> Settings:
    """The engine's settings that a name of it stands for: the defaults, whatever rag.toml or the environment say, but
    for ``chunking.target_tokens`` where the name has a number, and chunks alone, without neighbours, where it says so.
    Chunks by structure alone are such too.

    Raises:
        UsageError: the name is not of these forms.
    """
    family, number, _ = _parts(name)
    given: dict[str, dict[str, float]] = {}
    if number is not None:
        given["chunking"] = {"target_tokens": number}
    if family in (OUR_CHUNKS, OUR_STRUCTURE):
        given["retrieval"] = {"neighbour_weight": 0, "passage_tokens": 0}
    return Settings.model_validate(given)


def own_share(name: str) -> float:
    """Of the best passage's score, what another must have to count: what an answer draws on, where the name says so."""
    return own_settings(name).answering.least_share if _parts(name)[0] == OUR_ANSWER else 0.0


def own_similarity(name: str) -> bool:
    """Whether what cuts there looks at where the subject changes, as the engine does, and not at structure alone."""
    return _parts(name)[0] != OUR_STRUCTURE


def is_own(name: str) -> bool:
    """Whether the name is of this project's engine."""
    return _parts(name)[0] in _OWN


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
    if match is None or match[1] not in (*_OWN, *_BASELINES) or (match[3] and match[1] not in _WITH_OVERLAP):
        raise _unknown(name)
    return match[1], int(match[2]) if match[2] else None, int(match[3] or 0)


def _unknown(name: str) -> UsageError:
    families = [f"{family}-N" + ("[/OVERLAP]" if family in _WITH_OVERLAP else "") for family in _BASELINES]
    return UsageError(f"no chunker {name}", hint=f"known are {', '.join(_OWN)}, {OURS}-N, {', '.join(families)}")
