"""How files of words are made: from counted words, and from other files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_engine.index.vocabulary.diacritics import plain_forms
from rag_engine.index.vocabulary.line_table import table_sections
from rag_engine.index.vocabulary.segment import ByLength, Segment, as_rows
from rag_engine.index.vocabulary.word_counts import MOST_LETTERS, CountedWord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag_engine.index.vocabulary.segment import Bits

_ALIGNED = 8


def segment_bytes(words: Sequence[CountedWord], definitions: Mapping[tuple[str, str], int]) -> bytes:
    """The file of a segment with these words, each of them once."""
    by_length: ByLength = {}
    marked = {one.word for one in words if plain_forms(one.word)}
    for length, group in groupby(sorted(words, key=lambda word: len(word.word)), key=lambda word: len(word.word)):
        members = list(group)
        letters = np.frombuffer("".join(one.word for one in members).encode("utf-16-be"), dtype=">u2")
        by_length[length] = (
            as_rows(letters.reshape(len(members), length)),
            np.array([one.frequency for one in members], dtype=np.uint32),
            np.array([one.capitals for one in members], dtype=np.uint32),
        )
    return _written(by_length, definitions, marked)


def merged_bytes(segments: Sequence[Segment], *, most_words: int, most_definitions: int) -> bytes:
    """The file of a segment with the words of all of these; the rarest are left out where there are too many."""
    parts = [segment.by_length() for segment in segments]
    joined: ByLength = {}
    for length in sorted({length for part in parts for length in part}):
        held = [part[length] for part in parts if length in part]
        rows, frequency, capitals = (np.concatenate([one[column] for one in held]) for column in range(3))
        order = np.lexsort((-frequency.astype(np.int64), rows))
        rows, frequency, capitals = rows[order], frequency[order], capitals[order]
        firsts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
        totals = np.add.reduceat(frequency.astype(np.uint64), firsts)
        joined[length] = (rows[firsts], np.minimum(totals, 0xFFFFFFFF).astype(np.uint32), capitals[firsts])
    definitions: dict[tuple[str, str], int] = {}
    for segment in segments:
        for short, long, count in segment.definitions.lines():
            definitions[short, long] = definitions.get((short, long), 0) + int(count)
    if len(definitions) > most_definitions:
        definitions = dict(sorted(definitions.items(), key=lambda item: (-item[1], item[0]))[:most_definitions])
    marked = {word for segment in segments for (word,) in segment.marked.lines()}
    return _written(_frequent(joined, most_words), definitions, marked)


def _frequent(by_length: ByLength, most: int) -> ByLength:
    counts = [frequency for _, frequency, _ in by_length.values()]
    everything = np.concatenate(counts) if counts else np.zeros(0, dtype=np.uint32)
    if len(everything) <= most:
        return by_length
    least = np.partition(everything, len(everything) - most)[len(everything) - most]
    # Those of the least frequency that is kept would be too many again: they all go.
    return {
        length: (rows[frequency > least], frequency[frequency > least], capitals[frequency > least])
        for length, (rows, frequency, capitals) in by_length.items()
        if (frequency > least).any()
    }


def _written(by_length: ByLength, definitions: Mapping[tuple[str, str], int], marked: Iterable[str]) -> bytes:
    starts, columns = [0], {name: [b""] for name in ("seen", "repeated", "frequency", "capitals", "letters")}
    for length in range(MOST_LETTERS + 1):
        count = 0
        if length in by_length:
            rows, frequency, capitals = by_length[length]
            order = np.argsort(rows, kind="stable")
            letters = np.ascontiguousarray(rows[order]).view(">u2").reshape(len(rows), length)
            seen, repeated = _signatures(letters)
            count = len(rows)
            for name, column in (
                ("seen", seen),
                ("repeated", repeated),
                ("frequency", frequency[order]),
                ("capitals", capitals[order]),
                ("letters", letters),
            ):
                columns[name].append(column.tobytes())
        starts.append(starts[-1] + count)
    sections = {name: b"".join(parts) for name, parts in columns.items()}
    defined = [((s.lower(), long), f"{s}\t{long}\t{count}") for (s, long), count in sorted(definitions.items())]
    sections.update(table_sections("definitions", defined))
    sections.update(table_sections("marked", [(plain_forms(word), word) for word in sorted(marked)]))
    width = {"letters": 2, "keys": 8, "lines": 1}
    header: dict[str, Any] = {"starts": starts, "sections": {}}
    # Twice: where the sections lie depends on how long the header is, which is padded for the second time.
    for _ in range(2):
        place = _aligned(8 + len(json.dumps(header)) + 64)
        begin = place
        for name, data in sections.items():
            header["sections"][name] = [place, len(data) // width.get(name.rpartition("_")[2], 4)]
            place = _aligned(place + len(data))
    written = json.dumps(header).encode().ljust(begin - 8)
    parts = [(begin - 8).to_bytes(8, "little"), written]
    parts += [data.ljust(_aligned(len(data)), b"\0") for data in sections.values()]
    return b"".join(parts)


def _signatures(letters: NDArray[Any]) -> tuple[Bits, Bits]:
    bits = np.left_shift(np.uint32(1), (letters & 31).astype(np.uint32))
    seen = repeated = np.zeros(len(letters), dtype=np.uint32)
    for column in range(letters.shape[1]):
        repeated = repeated | (seen & bits[:, column])
        seen = seen | bits[:, column]
    return seen, repeated


def _aligned(place: int) -> int:
    return -(-place // _ALIGNED) * _ALIGNED
