"""A user's folder, and the command as the user types it; the real model, no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rag_engine.cli.app import run


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        fields = json.loads(self.out)
        assert isinstance(fields, dict)
        return fields


Rag = Callable[..., Outcome]


@pytest.fixture
def rag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rag:
    """Runs ``rag ARGUMENT...`` in an empty working folder with its own root of indexes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_ENGINE_ROOT", str(tmp_path / "indexes"))

    def command(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = 0
        try:
            run([str(argument) for argument in arguments])
        except SystemExit as error:
            status = int(error.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(status, captured.out, captured.err)

    return command


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small folder of documents about a shop."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "refunds.md").write_text(
        "# Refunds\n\nRefunds are paid within 14 days to the card that was used for the purchase.\n\n"
        "## Exceptions\n\nGift cards are never refunded. Opened software is exchanged, not refunded.\n",
        encoding="utf-8",
    )
    (folder / "delivery.txt").write_text(
        "Parcels leave the warehouse in Rotterdam every weekday at noon.\n\n"
        "Delivery within Europe takes three to five working days.\n",
        encoding="utf-8",
    )
    (folder / "stores.csv").write_text(
        "store,city,opened\nRiverside,Lyon,1998\nHarbour,Gdansk,2011\n", encoding="utf-8"
    )
    (folder / "about.html").write_text(
        "<html><head><title>About us</title></head><body><nav>Home</nav><main><h1>About us</h1>"
        "<p>The shop was founded by Amelia Brandt in 1987.</p></main></body></html>",
        encoding="utf-8",
    )
    (folder / "notes.jsonl").write_text(
        '{"_id": "note-1", "title": "Holidays", "text": "All stores are closed on the first of January.", '
        '"year": 2024}\n'
        '{"_id": "note-2", "title": "Parking", "text": "Parking is free behind the Harbour store.", "year": 2019}\n',
        encoding="utf-8",
    )
    return folder
