"""Haystack with its in-memory store saved to disk, and its tutorial's hybrid pipeline.

https://haystack.deepset.ai/tutorials/33_hybrid_retrieval
"""

from pathlib import Path

from harness import BATCH_TEXTS, LEG_DEPTH, Peer, read_corpus, run, token_windows
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from transformers import AutoTokenizer

FILE = "documents.json"


class Haystack(Peer):
    """The writer can pass over documents that are there, but only after all were embedded."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        super().__init__(model, chunked=chunked)
        self.document_embedder = SentenceTransformersDocumentEmbedder(
            model=self.model, batch_size=BATCH_TEXTS, normalize_embeddings=True, progress_bar=False
        )
        self.text_embedder = SentenceTransformersTextEmbedder(
            model=self.model, normalize_embeddings=True, progress_bar=False
        )
        self.document_embedder.warm_up()

    def ingest(self, corpus: Path, store: Path) -> None:
        documents = InMemoryDocumentStore(embedding_similarity_function="dot_product")
        pipeline = Pipeline()
        first = "embedder"
        pipeline.add_component("embedder", self.document_embedder)
        pipeline.add_component("writer", DocumentWriter(document_store=documents))
        pipeline.connect("embedder", "writer")
        if self.chunked:
            # Its own units of tokens are another model's, which it would have to fetch; a function is its way out.
            tokenizer = AutoTokenizer.from_pretrained(self.model)
            splitter = DocumentSplitter(
                split_by="function", splitting_function=lambda text: token_windows(tokenizer, text), split_length=1
            )
            first = "splitter"
            pipeline.add_component("splitter", splitter)
            pipeline.connect("splitter.documents", "embedder.documents")
        records = [Document(content=record.content, meta={"document": record.id}) for record in read_corpus(corpus)]
        pipeline.run({first: {"documents": records}})
        documents.save_to_disk(str(store / FILE))

    def open(self, store: Path) -> None:
        self.documents = InMemoryDocumentStore.load_from_disk(str(store / FILE))
        self.pipelines = {}

    def search(self, question: str, *, mode: str, k: int) -> list[str]:
        if (mode, k) not in self.pipelines:
            self.pipelines[mode, k] = self._pipeline(mode, k)
        inputs = {"embedder": {"text": question}}
        if mode == "hybrid":
            inputs["words"] = {"query": question}
        found = self.pipelines[mode, k].run(inputs)
        last = "joiner" if mode == "hybrid" else "vectors"
        return [document.meta["document"] for document in found[last]["documents"]]

    def _pipeline(self, mode: str, k: int) -> Pipeline:
        pipeline = Pipeline()
        pipeline.add_component("embedder", self.text_embedder)
        depth = LEG_DEPTH if mode == "hybrid" else k
        pipeline.add_component("vectors", InMemoryEmbeddingRetriever(document_store=self.documents, top_k=depth))
        pipeline.connect("embedder.embedding", "vectors.query_embedding")
        if mode == "hybrid":
            pipeline.add_component("words", InMemoryBM25Retriever(document_store=self.documents, top_k=depth))
            pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=k))
            pipeline.connect("vectors", "joiner")
            pipeline.connect("words", "joiner")
        return pipeline


if __name__ == "__main__":
    run(Haystack)
