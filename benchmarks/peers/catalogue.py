"""Which peers there are, and what each can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag_engine.errors import UsageError

FOLDER = Path(__file__).resolve().parent
OURS = "rag_engine"


class Regime(StrEnum):
    """How a peer makes vectors of documents: one each, cut silently at the model's window, or one for each chunk."""

    WHOLE = "whole"
    CHUNKED = "chunked"


@dataclass(frozen=True, slots=True)
class Peer:
    """``distribution`` is the package whose version names the peer; ``tells_changes`` says whether it has a
    documented way to embed only what changed."""

    name: str
    title: str
    distribution: str
    modes: tuple[str, ...] = ("dense", "hybrid")
    tells_changes: bool = False
    regimes: tuple[Regime, ...] = (Regime.WHOLE, Regime.CHUNKED)

    @property
    def program(self) -> Path:
        """Its program, run by its path."""
        return FOLDER / "programs" / f"{self.name}_peer.py"

    @property
    def requirements(self) -> Path:
        """What is installed in its virtual environment."""
        return FOLDER / "requirements" / f"{self.name}.txt"


PEERS = (
    Peer(OURS, "rag_engine", "rag_engine", tells_changes=True, regimes=(Regime.CHUNKED,)),
    Peer("bare", "sentence-transformers + FAISS", "sentence-transformers", modes=("dense",)),
    Peer("llama_index", "LlamaIndex, FAISS", "llama-index-core", tells_changes=True),
    Peer("langchain", "LangChain, FAISS", "langchain", tells_changes=True),
    Peer("haystack", "Haystack, in memory", "haystack-ai"),
    Peer("txtai", "txtai", "txtai"),
    Peer("chroma", "Chroma", "chromadb", modes=("dense",)),
)


@dataclass(frozen=True, slots=True)
class Contender:
    """A peer in one regime: what a row of the table is about."""

    peer: Peer
    regime: Regime

    @property
    def name(self) -> str:
        """PEER-REGIME, as its files are named."""
        return f"{self.peer.name}-{self.regime}"


def contenders(names: Sequence[str], regimes: Sequence[Regime]) -> list[Contender]:
    """The peers of these names, ours among them whether named or not, in every regime that they have.

    Raises:
        UsageError: no peer has the name.
    """
    known = {peer.name: peer for peer in PEERS}
    for name in names:
        if name not in known:
            raise UsageError(f"no peer {name}", hint=f"known are {', '.join(known)}")
    wanted = [peer for peer in PEERS if peer.name in names or peer.name == OURS]
    return [
        Contender(peer, regime) for peer in wanted for regime in peer.regimes if regime in regimes or peer.name == OURS
    ]
