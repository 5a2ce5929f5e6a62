"""LlamaIndex with its FAISS store, the faster of its local ones, and its BM25 retriever.

https://developers.llamaindex.ai/python/framework/module_guides/storing/ and, for the fusion,
https://developers.llamaindex.ai/python/examples/retrievers/bm25_retriever/
"""

from pathlib import Path

import faiss
from harness import BATCH_TEXTS, LEG_DEPTH, TEXT_TOKENS, Peer, read_corpus, run
from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.faiss import FaissMapVectorStore
from transformers import AutoTokenizer

# A document stays one node: no abstract has as many tokens.
WHOLE = 100_000


class LlamaIndex(Peer):
    """Tells documents that changed by their hash (refresh_ref_docs)."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        super().__init__(model, chunked=chunked)
        tokenizer = AutoTokenizer.from_pretrained(self.model)
        Settings.llm = MockLLM()
        Settings.embed_model = HuggingFaceEmbedding(model_name=self.model, embed_batch_size=BATCH_TEXTS)
        Settings.transformations = [
            SentenceSplitter(
                chunk_size=TEXT_TOKENS if chunked else WHOLE,
                chunk_overlap=0,
                tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False, verbose=False),
            )
        ]

    def _documents(self, corpus: Path) -> list[Document]:
        return [Document(id_=record.id, text=record.content) for record in read_corpus(corpus)]

    def ingest(self, corpus: Path, store: Path) -> None:
        # The documented index of Euclidean distance ranks wrongly here: the store hands its distances on as scores.
        vectors = FaissMapVectorStore(faiss_index=faiss.IndexIDMap2(faiss.IndexFlatIP(384)))
        context = StorageContext.from_defaults(vector_store=vectors)
        index = VectorStoreIndex.from_documents(self._documents(corpus), storage_context=context)
        self._persist(index, store)

    def reingest(self, corpus: Path, store: Path) -> None:
        index = self._load(store)
        index.refresh_ref_docs(self._documents(corpus))
        self._persist(index, store)

    def _persist(self, index: VectorStoreIndex, store: Path) -> None:
        index.storage_context.persist(str(store))
        BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=LEG_DEPTH).persist(str(store / "bm25"))

    def _load(self, store: Path) -> VectorStoreIndex:
        vectors = FaissMapVectorStore.from_persist_dir(str(store))
        return load_index_from_storage(StorageContext.from_defaults(vector_store=vectors, persist_dir=str(store)))

    def open(self, store: Path) -> None:
        self.index = self._load(store)
        self.store = store
        self.retrievers = {}

    def search(self, question: str, *, mode: str, k: int) -> list[str]:
        if (mode, k) not in self.retrievers:
            self.retrievers[mode, k] = self._retriever(mode, k)
        return [
            found.node.ref_doc_id or found.node.metadata["ref_doc_id"]
            for found in self.retrievers[mode, k].retrieve(question)
        ]

    def _retriever(self, mode: str, k: int):
        if mode == "dense":
            return self.index.as_retriever(similarity_top_k=k)
        return QueryFusionRetriever(
            [
                self.index.as_retriever(similarity_top_k=LEG_DEPTH),
                BM25Retriever.from_persist_dir(str(self.store / "bm25")),
            ],
            mode="reciprocal_rerank",
            similarity_top_k=k,
            num_queries=1,
            use_async=False,
        )


if __name__ == "__main__":
    run(LlamaIndex)
