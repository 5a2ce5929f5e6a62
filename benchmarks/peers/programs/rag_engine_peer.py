"""rag_engine through its Engine; its cold start is measured through the command rag."""

from pathlib import Path

from harness import Peer, run

from rag_engine import Engine


class RagEngine(Peer):
    """Always chunks, never cuts. It finds its model itself, the same package."""

    def ingest(self, corpus: Path, store: Path) -> int:
        with Engine.open(store / "default") as engine:
            report = engine.ingest(corpus)
        if report.failures:
            raise SystemExit(f"{len(report.failures)} documents failed: {report.failures[0]}")
        return report.embedded

    def reingest(self, corpus: Path, store: Path) -> int:
        return self.ingest(corpus, store)

    def open(self, store: Path) -> None:
        self.engine = Engine.open(store / "default", create=False)

    def search(self, question: str, *, mode: str, k: int) -> list[str]:
        return [passage.document_id for passage in self.engine.search(question, k=k, mode=mode)]


if __name__ == "__main__":
    run(RagEngine)
