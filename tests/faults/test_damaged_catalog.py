"""A damaged catalog is said to be damaged, and what can be saved of it is saved."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.config import Settings, load_settings
from rag_engine.engine import Engine, examine, repair
from rag_engine.errors import CatalogDamagedError
from rag_engine.index import CATALOG_NAME, Index
from rag_engine.jobs.health import salvage
from rag_engine.types.document import Document

MakeModel = Callable[..., Path]
PAGE = 8192


def text_of(number: int) -> str:
    return f"# Heading {number}\n\n" + f"Sentence {number} of a document of some length. " * 60


@pytest.fixture(scope="module")
def settings(tiny_model: MakeModel) -> Settings:
    return load_settings(overrides={"embedding": {"model": str(tiny_model(0))}}, environment={})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """An index of a folder of sixty files, and the folder."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "docs").mkdir()
    for number in range(60):
        (folder / "docs" / f"{number:02}.md").write_text(text_of(number))
    with Engine.open(folder / "index", settings=settings) as engine:
        assert engine.ingest(folder / "docs").documents.added == 60
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "index", tmp_path / "index"))


def overwrite_pages(path: Path, seed: int) -> None:
    generator = random.Random(seed)
    with path.open("r+b") as file:
        for page in generator.sample(range(2, path.stat().st_size // PAGE), 6):
            file.seek(page * PAGE)
            file.write(generator.randbytes(PAGE))


def header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(100))


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def nothing(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [header, half, nothing], ids=lambda damage: damage.__name__)
def test_a_catalog_that_cannot_be_read_is_damaged_for_every_verb(
    folder: Path, settings: Settings, damage: Callable[[Path], None]
) -> None:
    damage(folder / CATALOG_NAME)
    with pytest.raises(CatalogDamagedError), Engine.open(folder, settings=settings) as engine:  # noqa: PT012
        engine.search("sentence", k=50)
        engine.status()
        list(engine._assembly.index.catalog.documents())
    [finding, *_] = examine(folder, settings=settings)
    assert finding.what.startswith("the catalog")
    assert "saved" in finding.mend


@pytest.mark.parametrize("damage", [header, nothing], ids=lambda damage: damage.__name__)
def test_where_nothing_can_be_saved_repair_refuses_and_touches_nothing(
    folder: Path, settings: Settings, damage: Callable[[Path], None]
) -> None:
    damage(folder / CATALOG_NAME)
    before = (folder / CATALOG_NAME).read_bytes()
    with pytest.raises(CatalogDamagedError) as raised:
        repair(folder, settings=settings)
    assert "backup" in raised.value.hint
    assert (folder / CATALOG_NAME).read_bytes() == before


def test_a_catalog_that_is_gone_is_found_and_not_repaired(folder: Path, settings: Settings) -> None:
    (folder / CATALOG_NAME).unlink()
    [finding] = examine(folder, settings=settings)
    assert "gone" in finding.why
    with pytest.raises(CatalogDamagedError, match="can be saved"):
        repair(folder, settings=settings)


@pytest.mark.parametrize("seed", range(6))
def test_pages_overwritten_are_found_and_every_whole_document_is_saved(
    made: Path, folder: Path, settings: Settings, seed: int
) -> None:
    overwrite_pages(folder / CATALOG_NAME, seed)
    findings = examine(folder, settings=settings)
    assert findings
    try:
        done = repair(folder, settings=settings)
    except CatalogDamagedError as error:
        assert "backup" in error.hint  # the tree's root was hit: nothing can be found any more  # noqa: PT017
        return
    assert any("saved" in line or "replaced" in line or "anew" in line for line in done)
    with Engine.open(folder, settings=settings, create=False) as engine:
        for document, source in engine._assembly.index.catalog.documents():
            assert document.text == text_of(int(Path(str(source)).stem))
        engine.ingest(made / "docs")
        assert engine.status().documents == 60
        assert len(engine.search("sentence", k=60, mode="lexical")) == 60
    assert examine(folder, settings=settings) == []


def test_repair_saves_most_documents_of_a_catalog_cut_short(made: Path, folder: Path, settings: Settings) -> None:
    path = folder / CATALOG_NAME
    os.truncate(path, path.stat().st_size - 4 * PAGE)
    done = repair(folder, settings=settings)
    saved = int(done[0].split()[0])
    assert saved > 20
    assert len(list(folder.glob("catalog.damaged-*.sqlite"))) == 1
    with Engine.open(folder, settings=settings, create=False) as engine:
        assert engine.status().documents == saved
        assert engine.ingest(made / "docs").documents.added == 60 - saved
    assert examine(folder, settings=settings) == []


def test_a_document_altered_on_disk_is_brought_back_from_its_file(made: Path, folder: Path, settings: Settings) -> None:
    path = folder / CATALOG_NAME
    data = path.read_bytes()
    place = data.index(b"Sentence 7 of a document")
    path.write_bytes(data[:place] + b"Sentence 8" + data[place + 10 :])
    [finding] = examine(folder, settings=settings)
    assert finding.what.endswith("07.md")
    assert any("07.md" in line for line in repair(folder, settings=settings))
    with Engine.open(folder, settings=settings, create=False) as engine:
        assert engine.ingest(made / "docs").documents.updated == 1
    assert examine(folder, settings=settings) == []


@pytest.mark.parametrize("kind", ["gone", "garbage", "cut short"])
def test_a_spoiled_journal_costs_at_most_what_it_held(tmp_path: Path, kind: str) -> None:
    """The files as a kill leaves them: with a write-ahead log that was not folded in."""
    with closing(Index.open(tmp_path / "live", create=True)) as index:
        for number in range(4):
            ingest_job(index, HashingEmbedder()).ingest_documents([Document(f"d{number}", f"text {number}")])
        killed = Path(shutil.copytree(tmp_path / "live", tmp_path / "killed"))
    journal = killed / f"{CATALOG_NAME}-wal"
    size = journal.stat().st_size
    assert size > 0
    (killed / f"{CATALOG_NAME}-shm").unlink()
    if kind == "gone":
        journal.unlink()
    elif kind == "garbage":
        journal.write_bytes(os.urandom(size))
    else:
        os.truncate(journal, size * 2 // 3)
    try:
        with closing(Index.open(killed)) as index:
            ids = index.catalog.document_ids()
            assert ids == [f"d{number}" for number in range(len(ids))]
            assert index.catalog.integrity_findings() == []
            assert list(index.catalog.broken_documents()) == []
            with index.view(dense=True, lexical=True) as view:
                assert len(view.dense) == len(view.lexical) == len(ids)
    except CatalogDamagedError as error:
        assert "rag doctor" in error.hint  # noqa: PT017


def test_a_saved_document_whose_file_has_gone_goes_with_the_next_ingest(tmp_path: Path, settings: Settings) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(3):
        (docs / f"{number}.md").write_text(text_of(number))
    index = tmp_path / "index"
    with Engine.open(index, settings=settings) as engine:
        engine.ingest(docs)
    salvage(index / CATALOG_NAME)
    (docs / "1.md").unlink()
    with Engine.open(index, settings=settings) as engine:
        engine.re_embed()
        assert engine.status().sources == 3
        report = engine.ingest(docs)
        assert (report.documents.unchanged, report.documents.deleted, report.embedded) == (2, 1, 0)
        assert engine.status().documents == 2
