"""What the peers' programs share: the command line, the corpus, the clock, and the count of texts embedded.

Nothing of rag_engine is imported: each program runs in its peer's own virtual environment, by its path.

    NAME_peer.py imports                                       end after the library's imports
    NAME_peer.py ingest CORPUS STORE                           from a file to searchable and persisted
    NAME_peer.py reingest CORPUS STORE                         bring the store to an edited corpus
    NAME_peer.py search STORE QUERIES OUT --mode dense|hybrid  load once, then every question one by one
    NAME_peer.py cold STORE QUESTION                           to the first answer

Each prints one JSON object on its last line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The window of all-MiniLM-L6-v2, and what its two special tokens leave of it.
WINDOW_TOKENS = 256
TEXT_TOKENS = WINDOW_TOKENS - 2
# What each leg brings to a fusion, where the peer lets one say it: as many as rag_engine's legs bring.
LEG_DEPTH = 100
BATCH_TEXTS = 32
WARM_UP = ("what is known about this", "a question nobody asked", "how does it work", "who said so", "why")


@dataclass(frozen=True)
class Record:
    """A line of corpus.jsonl."""

    id: str
    title: str
    text: str

    @property
    def content(self) -> str:
        """What is embedded: the title above the text."""
        return f"{self.title}\n{self.text}".strip()


class Peer(ABC):
    """A library as its quick start sets it up. ``__init__`` loads the model; the imports stand in the program."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        """``chunked``: cut with the peer's own splitter to the model's window; else one vector a document."""
        self.model = str(model)
        self.chunked = chunked

    @abstractmethod
    def ingest(self, corpus: Path, store: Path) -> int | None:
        """Makes ``store``, persisted. Returns the texts embedded where ``encode`` does not see them."""

    @abstractmethod
    def open(self, store: Path) -> None:
        """Loads what ``ingest`` left."""

    @abstractmethod
    def search(self, question: str, *, mode: str, k: int) -> list[str]:
        """The documents of the ``k`` best texts, best first, a document as often as its texts come."""

    def reingest(self, corpus: Path, store: Path) -> int | None:
        """As ``ingest`` on a store that is there; only for peers that tell what changed."""
        raise NotImplementedError


def read_corpus(corpus: Path) -> list[Record]:
    """Every document."""
    with corpus.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Record(str(row["_id"]), row.get("title", ""), row["text"]) for row in rows]


def token_windows(tokenizer: Any, text: str) -> list[str]:
    """``text`` in windows of the model's tokens, cut at words, for peers that have no splitter of their own."""
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    offsets, words = encoding["offset_mapping"], encoding.word_ids()
    starts = [0]
    while starts[-1] + TEXT_TOKENS < len(offsets):
        cut = starts[-1] + TEXT_TOKENS
        while cut > starts[-1] + 1 and words[cut] == words[cut - 1]:
            cut -= 1
        starts.append(cut)
    places = [offsets[start][0] for start in starts[1:]] if offsets else []
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


class EncodedTexts:
    """Counts the texts that sentence-transformers embeds while it is installed."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Wraps ``SentenceTransformer.encode`` where the peer has imported it."""
        module = sys.modules.get("sentence_transformers")
        if module is None:
            return
        encode = module.SentenceTransformer.encode

        def counting(model: Any, texts: Any, *arguments: Any, **options: Any) -> Any:
            self.count += 1 if isinstance(texts, str) else len(texts)
            return encode(model, texts, *arguments, **options)

        module.SentenceTransformer.encode = counting


def run(make: type[Peer]) -> None:
    """The program's whole way, from the command line to the JSON object."""
    options = _parser().parse_args()
    if options.verb == "imports":
        return
    peer = make(options.model, chunked=options.regime == "chunked")
    encoded = EncodedTexts()
    if options.verb in ("ingest", "reingest"):
        encoded.install()
        options.store.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        embedded = getattr(peer, options.verb)(options.corpus, options.store)
        seconds = time.perf_counter() - started
        _print({"seconds": seconds, "embedded": encoded.count if embedded is None else embedded})
        return
    peer.open(options.store)
    if options.verb == "cold":
        _print({"first": peer.search(options.question, mode="dense", k=10)[:1]})
        return
    # Chunks: enough of them that ten documents are among them.
    k = 30 if options.regime == "chunked" else 10
    for question in WARM_UP:
        peer.search(question, mode=options.mode, k=k)
    times, rankings = [], {}
    for identifier, question in _questions(options.queries):
        started = time.perf_counter()
        documents = peer.search(question, mode=options.mode, k=k)
        times.append(time.perf_counter() - started)
        rankings[identifier] = list(dict.fromkeys(documents))
    options.out.write_text(json.dumps({"seconds": times, "rankings": rankings}), encoding="utf-8")
    _print({"questions": len(times), "seconds": sum(times)})


def _questions(file: Path) -> Iterator[tuple[str, str]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield str(row["_id"]), row["text"]


def _print(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--model", type=Path, required=True, help="folder of the model")
    common.add_argument("--regime", choices=("whole", "chunked"), default="whole")
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("imports")
    for verb in ("ingest", "reingest"):
        command = verbs.add_parser(verb, parents=[common])
        command.add_argument("corpus", type=Path)
        command.add_argument("store", type=Path)
    command = verbs.add_parser("search", parents=[common])
    command.add_argument("store", type=Path)
    command.add_argument("queries", type=Path)
    command.add_argument("out", type=Path)
    command.add_argument("--mode", choices=("dense", "hybrid"), default="dense")
    command = verbs.add_parser("cold", parents=[common])
    command.add_argument("store", type=Path)
    command.add_argument("question")
    return parser
