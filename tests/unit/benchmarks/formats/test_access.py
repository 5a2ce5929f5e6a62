from pathlib import Path

import pytest

from benchmarks.formats.access import outside_refused
from benchmarks.formats.reading import make_sandbox, read_file
from rag_engine.ingestion import sandbox

HOSTILE = (
    "import rag_engine.ingestion.loaders.delimited as loader; loader.read_text = lambda *_, **__: open({!r}).read()"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("name,town\nAda,Ulm\n")
    return tmp_path / "a.csv"


def test_what_needs_nothing_outside_is_read_as_before(table: Path) -> None:
    with outside_refused(), make_sandbox() as child:
        assert read_file(table, "a.csv", child).text == "name: Ada; town: Ulm"


def test_a_loader_that_opens_another_file_is_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = HOSTILE.format(str(table))
    monkeypatch.setattr(sandbox, "_PROGRAM", sandbox._PROGRAM.replace("; main()", f"; {hostile}; main()"))
    with outside_refused(), make_sandbox() as child:
        reading = read_file(table, "a.csv", child)
    assert (reading.code, "PermissionError" in reading.reason) == ("parsing", True)
