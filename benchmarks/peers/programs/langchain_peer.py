"""LangChain with FAISS, its indexing API, and an ensemble with BM25.

https://docs.langchain.com/oss/python/integrations/vectorstores/faiss and, for the ensemble,
https://docs.langchain.com/oss/python/integrations/retrievers/bm25
"""

from pathlib import Path

import faiss
from harness import BATCH_TEXTS, LEG_DEPTH, TEXT_TOKENS, Peer, read_corpus, run
from langchain_classic.indexes import SQLRecordManager
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.docstore.in_memory import InMemoryDocstore
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_core.indexing import index
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from transformers import AutoTokenizer


class LangChain(Peer):
    """Its indexing API keeps a hash of every text in SQLite beside the vectors."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        super().__init__(model, chunked=chunked)
        self.embedder = HuggingFaceEmbeddings(
            model_name=self.model, encode_kwargs={"normalize_embeddings": True, "batch_size": BATCH_TEXTS}
        )
        self.splitter = RecursiveCharacterTextSplitter.from_huggingface_tokenizer(
            AutoTokenizer.from_pretrained(self.model), chunk_size=TEXT_TOKENS, chunk_overlap=0
        )

    def ingest(self, corpus: Path, store: Path) -> None:
        vectors = FAISS(
            embedding_function=self.embedder,
            index=faiss.IndexFlatL2(384),
            docstore=InMemoryDocstore(),
            index_to_docstore_id={},
        )
        self._index(vectors, corpus, store)

    def reingest(self, corpus: Path, store: Path) -> None:
        self._index(self._load(store), corpus, store)

    def _index(self, vectors: FAISS, corpus: Path, store: Path) -> None:
        records = SQLRecordManager("corpus", db_url=f"sqlite:///{store / 'records.sqlite'}")
        records.create_schema()
        documents = [
            Document(page_content=record.content, metadata={"document": record.id}) for record in read_corpus(corpus)
        ]
        if self.chunked:
            documents = self.splitter.split_documents(documents)
        index(documents, records, vectors, cleanup="full", source_id_key="document", key_encoder="sha256")
        vectors.save_local(str(store))

    def _load(self, store: Path) -> FAISS:
        return FAISS.load_local(str(store), self.embedder, allow_dangerous_deserialization=True)

    def open(self, store: Path) -> None:
        self.vectors = self._load(store)
        self.retrievers = {}

    def search(self, question: str, *, mode: str, k: int) -> list[str]:
        if (mode, k) not in self.retrievers:
            self.retrievers[mode, k] = self._retriever(mode, k)
        return [document.metadata["document"] for document in self.retrievers[mode, k].invoke(question)[:k]]

    def _retriever(self, mode: str, k: int):
        if mode == "dense":
            return self.vectors.as_retriever(search_kwargs={"k": k})
        # Not persisted by the library: made from the stored texts whenever the store is opened.
        texts = [self.vectors.docstore.search(identifier) for identifier in self.vectors.index_to_docstore_id.values()]
        words = BM25Retriever.from_documents(texts, k=LEG_DEPTH)
        dense = self.vectors.as_retriever(search_kwargs={"k": LEG_DEPTH})
        return EnsembleRetriever(retrievers=[words, dense], weights=[0.5, 0.5])


if __name__ == "__main__":
    run(LangChain)
