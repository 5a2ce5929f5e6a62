"""Files with the same bytes: one text with several sources.

The documents belong to the first of the files in the order of their paths; the others are noted as copies of it. So
what an index holds depends on the files that there are, not on the order in which they came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TypeAlias

from rag_engine.index import SourceRecord
from rag_engine.ingestion import path_order

# Of a file with such a suffix, the one before says what is in it.
_WRAPPERS = (".gz", ".bz2", ".xz")
# Two files are read alike where both are equal: the SHA-256 of their bytes, and what their names say of the format.
_Content: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Succession:
    """Who has the documents of files with the same bytes.

    ``moves`` are records whose documents go to another path. ``copies`` maps paths to the records of the files that
    have the documents. ``to_read`` are paths of files whose documents nobody has; ``waiting`` maps such a path to
    those that become copies of it once it is read.
    """

    moves: list[tuple[SourceRecord, str]] = field(default_factory=list)
    copies: dict[str, SourceRecord] = field(default_factory=dict)
    to_read: list[str] = field(default_factory=list)
    waiting: dict[str, list[str]] = field(default_factory=dict)


def settle_succession(
    contents: Mapping[str, str],
    records: Mapping[str, SourceRecord],
    *,
    is_ready: Callable[[SourceRecord], bool],
    is_gone: Callable[[str], bool],
    may_move: Callable[[str], bool],
) -> Succession:
    """Settles it for living files, given with the SHA-256 of their bytes.

    ``records`` say what was read of files, also of those that are gone or have other bytes by now. ``is_ready`` says
    that a record's documents are as they would be read now, ``is_gone`` that a file is no source any more, and
    ``may_move`` that nothing stands in the way of documents that come to a path.
    """
    found = Succession()
    wanted = set(contents.values())
    holders = _grouped((path, record.sha256) for path, record in records.items() if record.sha256 in wanted)
    for content, (first, *others) in _grouped(contents.items()).items():
        holder = records.get(first)
        if holder is None or holder.same_as is not None:
            heritage = _heritage(holders[content], records, others, is_gone)
            holder = None
            if heritage is not None and may_move(first):
                found.moves.append((heritage, first))
                holder = replace(heritage, path=first)
        if holder is not None and holder.sha256 == content[0] and is_ready(holder):
            found.copies.update(dict.fromkeys(others, holder))
        else:
            found.to_read.append(first)
            found.waiting[first] = others
    return found


def _heritage(
    paths: Sequence[str], records: Mapping[str, SourceRecord], living: Container[str], is_gone: Callable[[str], bool]
) -> SourceRecord | None:
    """The first record with documents of its own whose file is gone, or comes after the one that they belong to."""
    holders = (records[path] for path in paths if records[path].same_as is None)
    return next((record for record in holders if record.path in living or is_gone(record.path)), None)


def _grouped(files: Iterable[tuple[str, str]]) -> Mapping[_Content, list[str]]:
    """Paths by what their files hold, each group in order."""
    groups: dict[_Content, list[str]] = defaultdict(list)
    for path, sha256 in sorted(files, key=lambda file: path_order(file[0])):
        groups[sha256, format_of_name(path)].append(path)
    return groups


def format_of_name(path: str) -> str:
    """What a file's name says of its format: files of the same bytes and the same format are read alike."""
    name = PurePath(path)
    suffix = name.suffix.lower()
    return PurePath(name.stem).suffix.lower() + suffix if suffix in _WRAPPERS else suffix
