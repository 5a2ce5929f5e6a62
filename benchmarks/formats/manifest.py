"""The list of real files, and what must come of each: text, a clear refusal, or either of the two."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MANIFEST = "MANIFEST.csv"
_EITHER_CATEGORIES = frozenset({"pdf_malformed", "office_malformed", "archives_bombs"})
_ENCRYPTED_CATEGORIES = frozenset({"pdf_encrypted", "office_encrypted"})


class Expectation(StrEnum):
    """What must come of a file.

    ``text``: documents. ``parsed``: documents, or the finding that it holds no words. ``refused``: no document.
    ``either``: documents or a clear refusal, but no hang, crash or blow-up. ``unlocked``: documents, or the refusal
    that it needs a password. ``decoded``: characters as the label says, or the refusal that they are not certain.
    """

    TEXT = "text"
    PARSED = "parsed"
    REFUSED = "refused"
    EITHER = "either"
    UNLOCKED = "unlocked"
    DECODED = "decoded"


@dataclass(frozen=True, slots=True)
class FormatFile:
    """A row of the manifest; ``path`` is relative to its folder, ``label`` what its collectors say of it."""

    path: str
    category: str
    label: str
    expectation: Expectation


def read_manifest(folder: Path) -> list[FormatFile]:
    """Every row of the manifest in ``folder``, in its order.

    A file that one category says to be encrypted is so in each that it lies in.
    """
    with (folder / MANIFEST).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    encrypted = {_name(row["file"]) for row in rows if row["category"] in _ENCRYPTED_CATEGORIES}
    return [
        FormatFile(
            row["file"],
            row["category"],
            row["expectation"],
            Expectation.UNLOCKED if _name(row["file"]) in encrypted else _expectation(row["file"], row["category"]),
        )
        for row in rows
    ]


def _expectation(path: str, category: str) -> Expectation:
    name = _name(path)
    if category in _EITHER_CATEGORIES:
        return Expectation.EITHER
    if category == "encodings":
        return Expectation.DECODED
    if category == "json":
        letter = name.partition("__")[2][:2]
        return {"y_": Expectation.PARSED, "n_": Expectation.REFUSED}.get(letter, Expectation.EITHER)
    if category == "epub" and name.rpartition(".")[0].endswith(("-error", "-fatal")):
        return Expectation.EITHER
    return Expectation.TEXT


def _name(path: str) -> str:
    return path.rpartition("/")[2]
