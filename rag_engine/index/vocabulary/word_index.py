"""The words of a corpus in files: a cache of the catalog, in the folder ``vocabulary`` of an index.

::

    vocabulary/manifest.json      commit, index, form, segments with size, time and checksum
    vocabulary/words.NUMBER.bin   a segment: see segment.py

What an ingest adds becomes a segment of its own; segments are merged as they come to be of one size (O'Neil et al.,
"The log-structured merge-tree", 1996), so that there are few of them and a word is written few times. What an ingest
removes is not taken out, since the text is gone: frequencies are too high by so much, until so many chunks were removed
that all is counted anew. Whether a word is still there at all, the lexical index says.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_engine.errors import CacheDamagedError
from rag_engine.index.files import replaced, write_text, writing
from rag_engine.index.vocabulary.segment import Segment
from rag_engine.index.vocabulary.segment_writing import merged_bytes, segment_bytes
from rag_engine.index.vocabulary.word_counts import WordCounts

FOLDER_NAME = "vocabulary"
MANIFEST = "manifest.json"
# Raised whenever the same chunks would give another file; files of another form are made anew.
FORM = 1
MOST_WORDS = 1_000_000
MOST_DEFINITIONS = 100_000
# A segment is merged with the one before it while that is less than so many times as large.
_GROWTH = 4
# Counted anew when so many of the chunks that were counted are gone.
_MOST_REMOVED = 0.2
_LEAST_REMOVED = 50


@dataclass(frozen=True, slots=True)
class _SegmentFile:
    """A file of a segment as it was written; ``modified`` is in nanoseconds, ``checksum`` CRC-32."""

    name: str
    size: int
    modified: int
    checksum: int
    words: int


class WordIndex:
    """Words and definitions of abbreviations, counted by chunk."""

    def __init__(self, folder: Path | None = None, *, index_id: str = "") -> None:
        """An empty one, kept in ``folder`` from the first update on; in memory without a folder."""
        self._folder = folder
        self._index_id = index_id
        self._files: list[_SegmentFile] = []
        self.segments: list[Segment] = []
        self.commit = 0
        self.chunks = 0
        self.removed = 0

    @classmethod
    def load(cls, folder: Path, *, index_id: str, read: bool = False) -> WordIndex:
        """The words in ``folder``; with ``read`` every byte is looked at, else those of files that were touched.

        Raises:
            CacheDamagedError: they are absent, not whole, of another form, or another index's.
        """
        manifest = _read_manifest(folder, index_id=index_id)
        loaded = cls(folder, index_id=index_id)
        try:
            loaded.commit, loaded.chunks, loaded.removed = (manifest[key] for key in ("commit", "chunks", "removed"))
            for fields in manifest["segments"]:
                file = _SegmentFile(**fields)
                _check_file(folder, file, read=read)
                loaded._files.append(file)
                loaded.segments.append(Segment.open(folder / file.name))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise CacheDamagedError(f"{folder} cannot be read: {error}") from error
        return loaded

    def __len__(self) -> int:
        """Words of all segments; one that stands in several counts for each."""
        return sum(len(segment) for segment in self.segments)

    def is_worn(self, *, removing: int) -> bool:
        """Whether so many chunks would be gone that all had better be counted anew."""
        gone = self.removed + removing
        return gone > max(_LEAST_REMOVED, _MOST_REMOVED * self.chunks)

    def emptied(self) -> WordIndex:
        """A new one in the same folder, which keeps its files until the new one's first update."""
        return WordIndex(self._folder, index_id=self._index_id)

    def update(self, texts: Iterable[str], *, removed: int, commit: int) -> None:
        """Counts the words of new chunks, and records how many chunks went and the commit.

        Raises:
            StorageError: the files cannot be written; they are as they were then.
        """
        files, segments = list(self._files), list(self.segments)
        chunks = 0
        counts = WordCounts()
        for text in texts:
            counts.add(text)
            chunks += 1
            if counts.full:
                self._append(segment_bytes(counts.words(), counts.definitions), files, segments)
                counts = WordCounts()
        if counts:
            self._append(segment_bytes(counts.words(), counts.definitions), files, segments)
        if self._folder is not None:
            self._write_manifest(
                self._folder, files, commit=commit, chunks=self.chunks + chunks, removed=self.removed + removed
            )
        self._files, self.segments, self.commit = files, segments, commit
        self.chunks, self.removed = self.chunks + chunks, self.removed + removed

    def _append(self, data: bytes, files: list[_SegmentFile], segments: list[Segment]) -> None:
        segment = Segment(data)
        while segments and len(segments[-1]) < _GROWTH * len(segment):
            data = merged_bytes([segments.pop(), segment], most_words=MOST_WORDS, most_definitions=MOST_DEFINITIONS)
            segment = Segment(data)
            if files:
                files.pop()
        if self._folder is not None:
            files.append(_write_segment(self._folder, data, words=len(segment)))
            segment = Segment.open(self._folder / files[-1].name)
        segments.append(segment)

    def _write_manifest(self, folder: Path, files: list[_SegmentFile], **counts: int) -> None:
        fields: dict[str, Any] = {
            "form": FORM,
            "index_id": self._index_id,
            **counts,
            "segments": [{name: getattr(file, name) for name in _SegmentFile.__slots__} for file in files],
        }
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / MANIFEST, json.dumps({**fields, "checksum": _checksum(fields)}))
        named = {file.name for file in files}
        for path in folder.iterdir():
            if path.name != MANIFEST and path.name not in named:
                with contextlib.suppress(OSError):
                    path.unlink()

    def count(self, word: str) -> tuple[int, int]:
        """In how many chunks a word in lower case was met, and the capitals of its most frequent form."""
        found = [segment.count(word) for segment in self.segments]
        return sum(count for count, _ in found), max(found, default=(0, 0))[1]

    def near(self, word: str, most: int) -> dict[str, tuple[int, int]]:
        """Words within ``most`` edits: distance and frequency."""
        return _summed(found for segment in self.segments for found in segment.near(word, most))

    def shortened_to(self, short: str, most_letters: int) -> dict[str, tuple[int, int]]:
        """Longer words, up to so many letters, that hold all letters of ``short`` in order: 0 and frequency."""
        return _summed(found for segment in self.segments for found in segment.shortened_to(short, most_letters))

    def decorated(self, plain: str) -> dict[str, int]:
        """Words with marks over letters that are typed like this without, and their frequencies."""
        words = {word for segment in self.segments for word in segment.decorated(plain)}
        return {word: self.count(word)[0] for word in words}

    def defined(self, form: str) -> dict[tuple[str, str], int]:
        """Definitions of a short form, or by a long one, both in lower case, with their counts."""
        found: dict[tuple[str, str], int] = {}
        for segment in self.segments:
            for short, long, count in segment.defined(form):
                found[short, long] = found.get((short, long), 0) + count
        return found


def stands_at(commit: int, *, folder: Path, index_id: str) -> bool:
    """Whether the files in ``folder`` are whole, of this catalog, and reflect the commit. Maps none of them."""
    try:
        manifest = _read_manifest(folder, index_id=index_id)
        for fields in manifest["segments"]:
            _check_file(folder, _SegmentFile(**fields), read=False)
    except (CacheDamagedError, OSError, KeyError, TypeError):
        return False
    return bool(manifest.get("commit") == commit)


def discard_manifest(folder: Path) -> None:
    """Makes the files in ``folder`` count no more, where that is possible."""
    with contextlib.suppress(OSError):
        (folder / MANIFEST).unlink()


def _summed(found: Iterator[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for word, distance, frequency in found:
        sums[word] = (distance, sums[word][1] + frequency if word in sums else frequency)
    return sums


def _write_segment(folder: Path, data: bytes, *, words: int) -> _SegmentFile:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(parts[1]) for path in folder.iterdir() if _is_number(parts := path.name.split("."))]
    path = folder / f"words.{1 + max(numbers, default=0)}.bin"
    with replaced(path) as unfinished, unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    status = path.stat()
    return _SegmentFile(path.name, status.st_size, status.st_mtime_ns, zlib.crc32(data), words)


def _is_number(parts: list[str]) -> bool:
    return len(parts) >= 3 and parts[1].isdecimal()


def _read_manifest(folder: Path, *, index_id: str) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if fields.pop("checksum") != _checksum(fields):
            raise CacheDamagedError(f"{path} is damaged: its checksum does not fit")
        owner = (fields["index_id"], fields["form"])
    except FileNotFoundError as error:
        raise CacheDamagedError(f"{folder} is absent or was not finished") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CacheDamagedError(f"{path} cannot be read: {error}") from error
    if owner != (index_id, FORM):
        raise CacheDamagedError(f"{folder} belongs to another index or another version")
    return fields


def _check_file(folder: Path, file: _SegmentFile, *, read: bool) -> None:
    """Raises CacheDamagedError where a file is not what was written, OSError where it cannot be read."""
    path = folder / file.name
    status = path.stat()
    untouched = status.st_size == file.size and status.st_mtime_ns == file.modified and not read
    if not untouched and (status.st_size != file.size or zlib.crc32(path.read_bytes()) != file.checksum):
        raise CacheDamagedError(f"{path} is damaged: it is not what the index wrote")


def _checksum(fields: Mapping[str, object]) -> int:
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())
