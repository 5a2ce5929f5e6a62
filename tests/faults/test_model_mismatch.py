"""An index refuses a model that is not its own, even one of the same shape, and says how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag_engine import Engine, Settings, load_settings
from rag_engine.errors import ModelMismatchError
from rag_engine.types.document import Document

MakeModel = Callable[..., Path]
DOCUMENTS = [Document(f"d{number}", f"refund number {number} of the cell") for number in range(5)]


def settings_with(model: Path) -> Settings:
    return load_settings(overrides={"embedding": {"model": str(model)}}, environment={})


@pytest.fixture
def folder(tiny_model: MakeModel, tmp_path: Path) -> Path:
    with Engine.open(tmp_path / "index", settings=settings_with(tiny_model(0))) as engine:
        engine.ingest(DOCUMENTS)
    return tmp_path / "index"


@pytest.mark.parametrize(
    "verb",
    [
        lambda engine: engine.search("refund"),
        lambda engine: engine.search("refund", mode="dense"),
        lambda engine: engine.ask("refund"),
        lambda engine: engine.ingest(Document("new", "text")),
    ],
    ids=["search", "dense search", "ask", "ingest"],
)
def test_a_model_of_other_weights_is_refused(
    folder: Path, tiny_model: MakeModel, verb: Callable[[Engine], object]
) -> None:
    with Engine.open(folder, settings=settings_with(tiny_model(1))) as engine:
        before = engine.status().commit
        with pytest.raises(ModelMismatchError) as raised:
            verb(engine)
        assert "rag ingest --re-embed" in raised.value.hint
        assert engine.status().commit == before


def test_a_lexical_search_needs_no_model(folder: Path, tiny_model: MakeModel) -> None:
    with Engine.open(folder, settings=settings_with(tiny_model(1))) as engine:
        assert len(engine.search("refund", mode="lexical")) == 5


@pytest.mark.parametrize("dense", [None, 24], ids=["same dimension", "other dimension"])
def test_embedding_anew_mends_it(folder: Path, tiny_model: MakeModel, tmp_path: Path, dense: int | None) -> None:
    settings = settings_with(tiny_model(1, dense=dense))
    with Engine.open(folder, settings=settings) as engine:
        assert engine.re_embed().embedded == 5
        found = engine.search("refund number 3", mode="dense")
        engine.ingest(Document("new", "text"))
    with Engine.open(tmp_path / "fresh", settings=settings) as fresh:
        fresh.ingest(DOCUMENTS)
        expected = fresh.search("refund number 3", mode="dense")
    assert [(p.document_id, p.text) for p in found] == [(p.document_id, p.text) for p in expected]
    assert [p.score for p in found] == pytest.approx([p.score for p in expected], abs=1e-5)


def test_an_engine_that_was_open_meanwhile_refuses_its_old_model(folder: Path, tiny_model: MakeModel) -> None:
    with Engine.open(folder, settings=settings_with(tiny_model(0))) as reader:
        reader.search("refund")
        with Engine.open(folder, settings=settings_with(tiny_model(1))) as writer:
            writer.re_embed()
        with pytest.raises(ModelMismatchError):
            reader.search("refund")
