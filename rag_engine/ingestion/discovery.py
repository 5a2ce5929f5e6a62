"""What is to be ingested: the files behind folders, patterns and names."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag_engine.errors import IngestionError, SourceNotFoundError, UnreadableSourceError, UnsupportedFormatError
from rag_engine.types.document import SourceFailure

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file: its absolute path (links not resolved), size in bytes and time of its last change."""

    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files that were found, each once, in order of their paths; and what could not be looked into."""

    files: list[SourceFile]
    failures: list[SourceFailure]
    _folders: tuple[Path, ...] = field(default=(), repr=False)
    _named: frozenset[Path] = field(default=frozenset(), repr=False)
    _patterns: tuple[tuple[str, ...], ...] = field(default=(), repr=False)

    def covers(self, path: Path) -> bool:
        """Whether an absolute path lies within what was asked for.

        A source that is stored, covered and not among ``files`` is gone.
        """
        if path in self._named or any(path.is_relative_to(folder) for folder in self._folders):
            return True
        # A pattern may match a folder, and then means all that is in it.
        return any(_matches(place.parts, pattern) for pattern in self._patterns for place in (path, *path.parents))


def discover(paths: Sequence[str | Path], *, known: Collection[str] = ()) -> Discovery:
    """The files behind folders (with all below them), patterns such as ``docs/**/*.md``, and names.

    Hidden files and folders are passed over unless they are named themselves; so are links that
    lead back to where they lie, and everything within folders that is no regular file. ``known``
    are absolute paths of files ingested before: what held one of them may be empty or gone now.

    Raises:
        SourceNotFoundError: a path does not exist, a pattern matches nothing, or a folder holds no readable file.
    """
    asked = [_expand(path, known) for path in paths]  # all, before anything is read
    files: dict[Path, SourceFile] = {}
    failures: list[SourceFailure] = []
    folders: list[Path] = []
    named: list[Path] = []
    patterns: list[tuple[str, ...]] = []
    for places, pattern in asked:
        if pattern:
            patterns.append(pattern)
        for place in places:
            if place.is_dir():
                found = list(_walk(place, failures))
                if not (found or pattern or _held_any(place, known)):
                    raise SourceNotFoundError(f"no readable file in {printable(place)}")
                files.update((source.path, source) for source in found)
                folders.append(place)
            else:
                named.append(place)
                source = _source_file(place, failures) if os.path.lexists(place) else None
                if source:
                    files[place] = source
    unnameable = [place for place in files if not _is_text(place)]
    failures.extend(_failure(place, "has a name that is not valid UTF-8: rename it") for place in unnameable)
    for place in unnameable:
        del files[place]
    return Discovery(
        sorted(files.values(), key=lambda source: source.path),
        failures,
        tuple(folders),
        frozenset(named),
        tuple(patterns),
    )


def document_name(path: Path, working_folder: Path) -> str:
    """The name of a file's document: its path from ``working_folder`` where it lies beneath, else the absolute one.

    Written with slashes; bytes of the path that are no UTF-8 appear as ``\\xNN``.
    """
    place = _absolute(path)
    folder = _absolute(working_folder)
    return printable(place.relative_to(folder) if place.is_relative_to(folder) else place)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        UnreadableSourceError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while part := file.read(_READ_BYTES):
                digest.update(part)
    except OSError as error:
        raise UnreadableSourceError(f"{printable(path)} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def printable(path: Path) -> str:
    """A path as text that is valid UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  resolving would follow links


def _held_any(place: Path, known: Collection[str]) -> bool:
    return any(Path(path).is_relative_to(place) for path in known)


def _is_text(place: Path) -> bool:
    """Whether a name can be stored and shown: bytes that are no UTF-8 come as lone surrogates."""
    try:
        str(place).encode()
    except UnicodeEncodeError:
        return False
    return True


def _expand(path: str | Path, known: Collection[str]) -> tuple[list[Path], tuple[str, ...]]:
    place = _absolute(path)
    if os.path.lexists(place):  # even where its name looks like a pattern
        return [place], ()
    if str(place) in known:
        return [place], ()
    pattern = str(place)
    if not glob.has_magic(pattern):
        raise SourceNotFoundError(f"there is no {printable(place)}")
    # ``glob`` gives a folder before ``**`` even where there is none. Path.glob takes no absolute pattern.
    places = [Path(match) for match in glob.glob(pattern, recursive=True) if os.path.lexists(match)]  # noqa: PTH207
    if not places:
        raise SourceNotFoundError(f"nothing matches {printable(place)}", hint="check the pattern")
    return places, place.parts


def _matches(segments: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether ``glob`` finds a path by a pattern: ``**`` is any folders, and no wildcard matches a leading dot."""
    if not (segments and pattern):
        return not segments and all(part == "**" for part in pattern)
    first, rest = segments[0], segments[1:]
    visible = pattern[0].startswith(".") or not first.startswith(".")
    if pattern[0] == "**":
        return _matches(segments, pattern[1:]) or (visible and _matches(rest, pattern))
    return visible and fnmatch.fnmatchcase(first, pattern[0]) and _matches(rest, pattern[1:])


def _walk(root: Path, failures: list[SourceFailure]) -> Iterator[SourceFile]:
    """Every regular file below ``root``; each folder once, reached through real folders before links."""
    entered: set[tuple[int, int]] = set()
    folders: list[Path] = [root]
    links: list[Path] = []
    while folders or links:
        folder = folders.pop() if folders else links.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            failures.append(_failure(folder, f"cannot be read: {error.strerror}"))
            continue
        for entry in listed:
            if entry.name.startswith("."):
                continue
            place = Path(entry.path)
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(place)
                elif entry.is_dir():
                    if not _leads_back(place):
                        links.append(place)
                elif entry.is_file():
                    status = entry.stat()
                    yield SourceFile(place, status.st_size, status.st_mtime_ns)
            except OSError as error:
                failures.append(_failure(place, f"cannot be read: {error.strerror}"))


def _leads_back(link: Path) -> bool:
    """Whether a link to a folder leads to one that the link itself lies in."""
    return Path(os.path.realpath(link.parent)).is_relative_to(os.path.realpath(link))


def _source_file(path: Path, failures: list[SourceFailure]) -> SourceFile | None:
    try:
        status = path.stat()
    except OSError as error:
        failures.append(_failure(path, f"cannot be read: {error.strerror}"))
        return None
    if not stat.S_ISREG(status.st_mode):
        failures.append(_failure(path, "is no regular file", UnsupportedFormatError))
        return None
    return SourceFile(path, status.st_size, status.st_mtime_ns)


def _failure(path: Path, reason: str, kind: type[IngestionError] = UnreadableSourceError) -> SourceFailure:
    error = kind(f"{printable(path)} {reason}")
    return SourceFailure(printable(path), error.code, error.message, error.hint)
