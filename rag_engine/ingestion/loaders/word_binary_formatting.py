"""How the characters and paragraphs of a Word 97-2003 document are formatted ([MS-DOC] section 2.4.6)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator

PAGE_BYTES = 512
_OPERAND_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}  # by the modifier's top three bits; 6 says it itself
_LONG_TABLE = 0xD608


class FormattedRuns:
    """Properties of stretches of the file, from its pages of formatting ([MS-DOC] sections 2.9.33 and 2.9.174)."""

    def __init__(self, pages: Iterable[bytes] = (), bytes_each: int = 1) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._properties: list[bytes] = []
        runs = []
        for page in pages:
            if len(page) < PAGE_BYTES:
                continue
            count = page[-1]
            places = struct.unpack_from(f"<{count + 1}L", page)
            for number in range(count):
                offset = 2 * page[4 * (count + 1) + bytes_each * number]
                runs.append((places[number], places[number + 1], _properties(page, offset, wide=bytes_each > 1)))
        for start, end, properties in sorted(runs):
            self._starts.append(start)
            self._ends.append(end)
            self._properties.append(properties)

    def at(self, position: int) -> bytes:
        """The properties at a position of the file; empty where nothing is said."""
        run = bisect_right(self._starts, position) - 1
        return self._properties[run] if run >= 0 and position < self._ends[run] else b""

    def end(self, position: int) -> int | None:
        """Where the run at a position ends, or the next begins."""
        run = bisect_right(self._starts, position) - 1
        if run >= 0 and position < self._ends[run]:
            return self._ends[run]
        return self._starts[run + 1] if run + 1 < len(self._starts) else None


def _properties(page: bytes, offset: int, *, wide: bool) -> bytes:
    if not offset:
        return b""
    size = page[offset]
    if wide:
        if size:
            return page[offset + 1 : offset + 2 * size]
        return page[offset + 2 : offset + 2 + 2 * page[offset + 1]]
    return page[offset + 1 : offset + 1 + size]


def modifiers_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Property modifiers ([MS-DOC] section 2.6) with their operands; of one that is cut off nothing."""
    position = 0
    while position + 3 <= len(data):
        (code,) = struct.unpack_from("<H", data, position)
        position += 2
        size = _OPERAND_BYTES.get(code >> 13)
        if size is None:
            if code == _LONG_TABLE:
                size = struct.unpack_from("<H", data, position)[0] + 1 if position + 2 <= len(data) else len(data)
            else:
                size = data[position] + 1
        operand = data[position : position + size]
        position += size
        if len(operand) == size:
            yield code, operand
