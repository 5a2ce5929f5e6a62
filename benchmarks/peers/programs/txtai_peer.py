"""txtai with its content store and hybrid index: https://neuml.github.io/txtai/embeddings/."""

from pathlib import Path

from harness import BATCH_TEXTS, TEXT_TOKENS, WINDOW_TOKENS, Peer, read_corpus, run
from transformers import AutoTokenizer
from txtai import Embeddings
from txtai.pipeline import Segmentation


class Txtai(Peer):
    """Upsert embeds whatever it is given. The splitter is chonkie's, which txtai wraps."""

    def __init__(self, model: Path, *, chunked: bool) -> None:
        super().__init__(model, chunked=chunked)
        # Left alone it reads the tokenizer's 512 tokens, twice what the model was made for.
        self.embeddings = Embeddings(
            path=self.model, maxlength=WINDOW_TOKENS, encodebatch=BATCH_TEXTS, hybrid=True, content=True
        )

    def ingest(self, corpus: Path, store: Path) -> int:
        pieces = [
            (f"{record.id}#{number}", text, None)
            for record in read_corpus(corpus)
            for number, text in enumerate(self._pieces(record.content))
        ]
        self.embeddings.index(pieces)
        self.embeddings.save(str(store))
        return len(pieces)

    def _pieces(self, content: str) -> list[str]:
        if not self.chunked:
            return [content]
        if not hasattr(self, "segmentation"):
            tokenizer = AutoTokenizer.from_pretrained(self.model)
            self.segmentation = Segmentation(chunker="recursive", tokenizer=tokenizer, chunk_size=TEXT_TOKENS)
        return self.segmentation(content)

    def open(self, store: Path) -> None:
        self.embeddings.load(str(store))
        self.scoring = self.embeddings.scoring

    def search(self, question: str, *, mode: str, k: int) -> list[str]:
        # Without its word index the same store answers with the dense leg alone.
        self.embeddings.scoring = self.scoring if mode == "hybrid" else None
        return [found["id"].rpartition("#")[0] for found in self.embeddings.search(question, limit=k)]


if __name__ == "__main__":
    run(Txtai)
