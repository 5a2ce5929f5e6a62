"""What ours is compared with: naive retrieval, which everybody builds first, and BM25 tuned on the very questions.

Naive: fixed windows of the embedder's 256 tokens, title and text in one, the raw question's vector compared with all of
them, a document scored by its best window; the same compiled model as ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from rag_engine.index.lexical_analysis import analyser
from rag_engine.semantic_chunking.fixed_window import FixedWindowChunker
from rag_engine.types.document import Document

if TYPE_CHECKING:
    from rag_engine.protocols import Embedder

Ranking = list[tuple[str, float]]
WINDOW_TOKENS = 256
DEPTH = 100
TUNED_K1, TUNED_B = (0.6, 0.9, 1.2, 1.6, 2.0), (0.3, 0.5, 0.75, 0.9)


def naive_run(documents: Sequence[Document], questions: Mapping[str, str], *, embedder: Embedder) -> dict[str, Ranking]:
    """Documents by question, best first: dense only, over fixed windows."""
    chunker = FixedWindowChunker(tokenizer=embedder.tokenizer, window_tokens=WINDOW_TOKENS)
    owners, texts = [], []
    for number, document in enumerate(documents):
        for chunk in chunker.chunk(Document(document.id, f"{document.title}\n{document.text}".strip())):
            owners.append(number)
            texts.append(chunk.text)
    windows, asked = embedder.embed(texts), embedder.embed_queries(list(questions.values()))
    run = {}
    for identifier, vector in zip(questions, asked, strict=True):
        best = np.full(len(documents), -np.inf, dtype=np.float32)
        np.maximum.at(best, owners, windows @ vector)
        run[identifier] = _ranked(best, documents)
    return run


def bm25_runs(documents: Sequence[Document], questions: Mapping[str, str]) -> Iterator[dict[str, Ranking]]:
    """Documents by question, best first, by BM25 over whole documents: one run for each pair of its two parameters.
    The words are stemmed, without stop words, as our lexical leg's are."""
    vocabulary: dict[str, int] = {}
    rows, columns, counts = [], [], []
    for number, document in enumerate(documents):
        for term, count in Counter(analyser().analyze(f"{document.title}\n{document.text}")).items():
            rows.append(number)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
            counts.append(count)
    shape = (len(documents), len(vocabulary))
    frequencies = csr_matrix((np.array(counts, dtype=np.float32), (rows, columns)), shape=shape)
    lengths = np.asarray(frequencies.sum(axis=1)).ravel()
    holding = np.bincount(frequencies.indices, minlength=shape[1])
    rarity = np.log1p((shape[0] - holding + 0.5) / (holding + 0.5))
    asked = {
        identifier: [vocabulary[term] for term in dict.fromkeys(analyser().analyze(text)) if term in vocabulary]
        for identifier, text in questions.items()
    }
    owner = np.repeat(np.arange(shape[0]), np.diff(frequencies.indptr))
    for k1, b in product(TUNED_K1, TUNED_B):
        weights = frequencies.copy()
        saturation = k1 * (1 - b + b * lengths[owner] / lengths.mean())
        weights.data = rarity[weights.indices] * weights.data * (k1 + 1) / (weights.data + saturation)
        by_term = weights.tocsc()
        yield {
            identifier: _ranked(np.asarray(by_term[:, terms].sum(axis=1)).ravel(), documents)
            for identifier, terms in asked.items()
        }


def _ranked(scores: np.ndarray, documents: Sequence[Document]) -> Ranking:
    best = np.argsort(-scores, kind="stable")[:DEPTH]
    return [(documents[number].id, float(scores[number])) for number in best if np.isfinite(scores[number])]
