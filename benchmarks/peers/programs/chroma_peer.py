"""Chroma with its persistent client: https://docs.trychroma.com/docs/overview/getting-started."""

from pathlib import Path

import chromadb
from chromadb.config import Settings
from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction
from harness import Peer, read_corpus, run, token_windows


class Chroma(Peer):
    """Upsert embeds whatever it is given. Without a splitter of its own it is given windows of tokens."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        super().__init__(model, chunked=chunked)
        self.embedder = SentenceTransformerEmbeddingFunction(model_name=self.model, normalize_embeddings=True)

    def _client(self, store: Path) -> chromadb.ClientAPI:
        return chromadb.PersistentClient(str(store), settings=Settings(anonymized_telemetry=False))

    def _pieces(self, content: str) -> list[str]:
        if not self.chunked:
            return [content]
        return token_windows(next(iter(self.embedder.models.values())).tokenizer, content)

    def ingest(self, corpus: Path, store: Path) -> None:
        client = self._client(store)
        collection = client.get_or_create_collection(
            "corpus", embedding_function=self.embedder, configuration={"hnsw": {"space": "ip"}}
        )
        pieces = [
            (f"{record.id}#{number}", record.id, text)
            for record in read_corpus(corpus)
            for number, text in enumerate(self._pieces(record.content))
        ]
        portion = client.get_max_batch_size()
        for start in range(0, len(pieces), portion):
            ids, documents, texts = zip(*pieces[start : start + portion], strict=True)
            collection.upsert(
                ids=list(ids), documents=list(texts), metadatas=[{"document": document} for document in documents]
            )

    def open(self, store: Path) -> None:
        self.collection = self._client(store).get_collection("corpus", embedding_function=self.embedder)

    def search(self, question: str, *, mode: str, k: int) -> list[str]:  # noqa: ARG002 - it has one mode
        found = self.collection.query(query_texts=[question], n_results=k)
        return [metadata["document"] for metadata in found["metadatas"][0]]


if __name__ == "__main__":
    run(Chroma)
