"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from rag_engine.errors import EvaluationError
from rag_engine.evaluation import check_place, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    write_whole(tmp_path / "a.html", "old", what="it")
    write_whole(tmp_path / "a.html", "neu ü", what="it")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "neu ü"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_what_cannot_be_written_leaves_the_old_file_as_it_was(tmp_path, monkeypatch):
    write_whole(tmp_path / "a.html", "old", what="it")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EvaluationError, match=r"the HTML report .* cannot be written: No space left"):
        write_whole(tmp_path / "a.html", "new", what="the HTML report")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_place_is_refused_before_the_work_is_done(tmp_path):
    check_place(tmp_path / "new.xml", what="it")
    with pytest.raises(EvaluationError, match="there is no folder"):
        check_place(tmp_path / "absent" / "a.xml", what="it")
    with pytest.raises(EvaluationError, match="it is a folder"):
        check_place(tmp_path, what="it")
