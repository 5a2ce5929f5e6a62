"""sentence-transformers with a flat FAISS index: the floor, with nothing around the model and the search.

https://sbert.net/examples/sentence_transformer/applications/semantic-search/README.html
"""

import json
from pathlib import Path

import faiss
from harness import BATCH_TEXTS, Peer, read_corpus, run, token_windows
from sentence_transformers import SentenceTransformer


class Bare(Peer):
    """Knows no changes: every ingest embeds everything."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        super().__init__(model, chunked=chunked)
        self.embedder = SentenceTransformer(self.model)

    def ingest(self, corpus: Path, store: Path) -> None:
        pieces = [
            (record.id, text)
            for record in read_corpus(corpus)
            for text in (token_windows(self.embedder.tokenizer, record.content) if self.chunked else [record.content])
        ]
        vectors = self.embedder.encode(
            [text for _, text in pieces], batch_size=BATCH_TEXTS, normalize_embeddings=True, show_progress_bar=False
        )
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        faiss.write_index(index, str(store / "vectors.faiss"))
        (store / "texts.json").write_text(json.dumps(pieces), encoding="utf-8")

    def open(self, store: Path) -> None:
        self.index = faiss.read_index(str(store / "vectors.faiss"))
        self.pieces = json.loads((store / "texts.json").read_text(encoding="utf-8"))

    def search(self, question: str, *, mode: str, k: int) -> list[str]:  # noqa: ARG002 - it has one mode
        vector = self.embedder.encode([question], normalize_embeddings=True, show_progress_bar=False)
        _, positions = self.index.search(vector, k)
        return [self.pieces[position][0] for position in positions[0] if position >= 0]


if __name__ == "__main__":
    run(Bare)
