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
_LARGEST_INTEGER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file as its folder knows it; two looks that say the same are looks at the same bytes.

    ``location`` is the absolute path (links not resolved), ``size`` bytes; ``modified`` and ``changed`` are the
    nanoseconds since 1970 at which its content and its inode last changed, ``inode`` is its number there.
    """

    location: str
    size: int
    modified: int
    changed: int
    inode: int

    @property
    def path(self) -> Path:
        """The location as a path."""
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files that were found, each once, in order of their paths; and what could not be looked into."""

    files: list[SourceFile]
    failures: list[SourceFailure]
    _folders: tuple[str, ...] = field(default=(), repr=False)  # with a slash behind each
    _named: frozenset[str] = field(default=frozenset(), repr=False)
    _patterns: tuple[tuple[str, ...], ...] = field(default=(), repr=False)

    def covers(self, path: str | Path) -> bool:
        """Whether an absolute path lies within what was asked for.

        A source that is stored, covered and not among ``files`` is gone.
        """
        location = str(path)
        if location in self._named or location.startswith(self._folders):
            return True
        # A pattern may match a folder, and then means all that is in it.
        return bool(self._patterns) and any(
            _matches(place.parts, pattern)
            for pattern in self._patterns
            for place in (Path(location), *Path(location).parents)
        )


def discover(paths: Sequence[str | Path], *, known: Collection[str] = ()) -> Discovery:
    """The files behind folders (with all below them), patterns such as ``docs/**/*.md``, and names.

    Hidden files and folders are passed over unless they are named themselves; so are links that
    lead back to where they lie, and everything within folders that is no regular file. ``known``
    are absolute paths of files ingested before: what held one of them may be empty or gone now.

    Raises:
        SourceNotFoundError: a path does not exist, a pattern matches nothing, or a folder holds no readable file.
    """
    asked = [_expand(path, known) for path in paths]  # all, before anything is read
    files: dict[str, SourceFile] = {}
    failures: list[SourceFailure] = []
    folders: list[str] = []
    named: list[str] = []
    patterns: list[tuple[str, ...]] = []
    for places, pattern in asked:
        if pattern:
            patterns.append(pattern)
        for place in places:
            if place.is_dir():
                found = list(_walk(place, failures))
                if not (found or pattern or _held_any(place, known)):
                    raise SourceNotFoundError(f"no readable file in {printable(place)}")
                files.update((source.location, source) for source in found)
                folders.append(os.path.join(place, ""))  # noqa: PTH118 - with its slash
            else:
                named.append(str(place))
                source = _source_file(place, failures) if os.path.lexists(place) else None
                if source:
                    files[source.location] = source
    unnameable = [location for location in files if not _is_text(location)]
    failures.extend(_failure(Path(name), "has a name that is not valid UTF-8: rename it") for name in unnameable)
    for location in unnameable:
        del files[location]
    return Discovery(
        # As paths are ordered: name by name, a folder before what has its name and more.
        sorted(files.values(), key=lambda source: source.location.replace(os.sep, "\0")),
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


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        UnreadableSourceError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - one of very many
            while part := file.read(_READ_BYTES):
                digest.update(part)
    except OSError as error:
        raise UnreadableSourceError(f"{printable(Path(path))} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def printable(path: Path) -> str:
    """A path as text that is valid UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  resolving would follow links


def _held_any(place: Path, known: Collection[str]) -> bool:
    return any(Path(path).is_relative_to(place) for path in known)


def _is_text(name: str) -> bool:
    """Whether a name can be stored and shown: bytes that are no UTF-8 come as lone surrogates."""
    try:
        name.encode()
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
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_dir():
                    if not _leads_back(Path(entry.path)):
                        links.append(Path(entry.path))
                elif entry.is_file():
                    yield _seen(entry.path, entry.stat())
            except OSError as error:
                failures.append(_failure(Path(entry.path), f"cannot be read: {error.strerror}"))


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
    return _seen(str(path), status)


def _seen(location: str, status: os.stat_result) -> SourceFile:
    # Some file systems number inodes beyond what a database's integer holds.
    inode = status.st_ino & _LARGEST_INTEGER
    return SourceFile(location, status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode)


def _failure(path: Path, reason: str, kind: type[IngestionError] = UnreadableSourceError) -> SourceFailure:
    error = kind(f"{printable(path)} {reason}")
    return SourceFailure(printable(path), error.code, error.message, error.hint)
