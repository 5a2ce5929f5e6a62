"""Lines of text found by the hash of a key, without reading the others."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_LINE = 2_000  # bytes


@dataclass(frozen=True, slots=True)
class LineTable:
    """``keys`` (uint64, ascending) and ``places`` (uint32) of shape (n,): where in ``data`` a key's line begins; the
    lines lie from ``start`` to ``end``."""

    keys: NDArray[np.uint64]
    places: NDArray[np.uint32]
    data: bytes | mmap.mmap
    start: int
    end: int

    def under(self, form: str) -> Iterator[list[str]]:
        """The fields of lines whose key has this form's hash: of another form too, once in a very long while."""
        key = np.uint64(hashed(form))
        first = int(np.searchsorted(self.keys, key))
        while first < len(self.keys) and self.keys[first] == key:
            place = self.start + int(self.places[first])
            line = self.data[place : min(self.end, place + _LONGEST_LINE)].split(b"\n", 1)[0]
            yield line.decode("utf-8", "replace").split("\t")
            first += 1

    def lines(self) -> Iterator[list[str]]:
        """The fields of every line."""
        for line in self.data[self.start : self.end].decode("utf-8", "replace").split("\n"):
            if line:
                yield line.split("\t")


def table_sections(name: str, entries: Iterable[tuple[Iterable[str], str]]) -> dict[str, bytes]:
    """The three sections of a table, named after it, from lines and the forms that each is to be found by."""
    keys: list[tuple[int, int]] = []
    lines: list[bytes] = []
    place = 0
    for forms, text in entries:
        line = f"{text}\n".encode("utf-8", "replace")
        keys += [(hashed(form), place) for form in set(forms)]
        lines.append(line)
        place += len(line)
    keys.sort()
    return {
        f"{name}_keys": np.array([key for key, _ in keys], dtype=np.uint64).tobytes(),
        f"{name}_places": np.array([where for _, where in keys], dtype=np.uint32).tobytes(),
        f"{name}_lines": b"".join(lines),
    }


def hashed(form: str) -> int:
    """64 bits of a form."""
    return int.from_bytes(hashlib.blake2b(form.encode("utf-8", "replace"), digest_size=8).digest(), "little")
