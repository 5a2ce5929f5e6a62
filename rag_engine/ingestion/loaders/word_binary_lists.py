"""The lists of a Word 97-2003 document and how they are numbered ([MS-DOC] sections 2.9.131, 2.9.147 and 2.9.150)."""

from __future__ import annotations

import struct

from rag_engine.ingestion.loaders.list_numbers import ListCounter, NumberedLevel

_FORMATS = {1: "upperRoman", 2: "lowerRoman", 3: "upperLetter", 4: "lowerLetter", 22: "decimalZero"} | {
    23: "bullet",
    255: "none",
}
_LIST_BYTES, _LEVEL_BYTES, _USE_BYTES = 28, 28, 16
_SIMPLE = 0x01  # a list of one level instead of nine
_LEGAL = 0x04
_MOST_LISTS = 1 << 14


def read_lists(table: bytes, *, kinds: int, uses: int) -> ListCounter:
    """The lists by their number, from 1, as paragraphs give it.

    ``kinds`` and ``uses`` are where the two tables of lists begin in the document's table stream.

    Raises:
        struct.error, IndexError, ValueError: the tables are damaged.
    """
    levels: dict[str, dict[int, NumberedLevel]] = {}
    (count,) = struct.unpack_from("<H", table, kinds)
    position = kinds + 2 + count * _LIST_BYTES  # the levels of all lists follow the lists
    for number in range(count):
        (name,) = struct.unpack_from("<l", table, kinds + 2 + number * _LIST_BYTES)
        simple = table[kinds + 2 + number * _LIST_BYTES + 26] & _SIMPLE
        levels[str(name)] = {}
        for level in range(1 if simple else 9):
            levels[str(name)][level], position = _level(table, position)
    lists: dict[str, tuple[str, dict[int, int]]] = {}
    (count,) = struct.unpack_from("<L", table, uses)
    if count > _MOST_LISTS:
        raise ValueError("more lists than a document has")
    position = uses + 4 + count * _USE_BYTES
    for number in range(count):
        name, changed = struct.unpack_from("<l8xB", table, uses + 4 + number * _USE_BYTES)
        starts = {}
        position += 4
        for _ in range(changed):
            start, flags = struct.unpack_from("<LL", table, position)
            position += 8
            if flags & 0x10:
                starts[flags & 0x0F] = start
            if flags & 0x20:
                changed_level, position = _level(table, position)
                levels[str(name)] = {**levels.get(str(name), {}), flags & 0x0F: changed_level}
        lists[str(number + 1)] = (str(name), starts)
    return ListCounter(levels, lists)


def _level(table: bytes, position: int) -> tuple[NumberedLevel, int]:
    """A level, and where what follows it begins."""
    start, number_format, flags = struct.unpack_from("<LBB", table, position)
    characters, paragraphs = table[position + 24], table[position + 25]
    position += _LEVEL_BYTES + characters + paragraphs
    (length,) = struct.unpack_from("<H", table, position)
    text = table[position + 2 : position + 2 + 2 * length].decode("utf-16-le", "replace")
    # Characters 0 to 8 stand for the number of the level 1 to 9.
    shown = "".join(f"%{ord(sign) + 1}" if ord(sign) < 9 else sign for sign in text)
    level = NumberedLevel(start, _FORMATS.get(number_format, "decimal"), shown, bool(flags & _LEGAL))
    return level, position + 2 + 2 * length
