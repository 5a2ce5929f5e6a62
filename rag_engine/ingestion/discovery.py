"""What is to be ingested: the files behind folders, patterns and names."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import itertools
import os
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag_engine.errors import SourceNotFoundError, UnreadableSourceError, UnsupportedFormatError
from rag_engine.ingestion.folder_walk import FolderWalk, SourceFile, failure_of, printable
from rag_engine.ingestion.ignore_rules import IgnoreRules
from rag_engine.types.document import SourceFailure

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files that were found, each once, in order of their paths; and what could not be looked into."""

    files: list[SourceFile]
    failures: list[SourceFailure]
    _folders: tuple[str, ...] = field(default=(), repr=False)  # with a slash behind each
    _named: frozenset[str] = field(default=frozenset(), repr=False)
    _patterns: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    _left_out: frozenset[str] = field(default=frozenset(), repr=False)

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

    def leaves_out(self, path: str | Path) -> bool:
        """Whether rules left out an absolute path, or a folder that it lies in."""
        place = Path(path)
        return bool(self._left_out) and any(str(part) in self._left_out for part in (place, *place.parents))


def discover(
    paths: Sequence[str | Path],
    *,
    known: Collection[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    passed_over: Collection[str] = (),
) -> Discovery:
    """The files behind folders (with all below them), patterns such as ``docs/**/*.md``, and names.

    Hidden files and folders are passed over unless they are named themselves; so are links that
    lead back to where they lie, and everything within folders that is no regular file. What .ragignore files leave
    out is left out unless it is named itself. ``include`` and ``exclude`` are patterns as in such a file, seen from
    each folder that is given, from where a pattern's wildcards begin, and from the folder of a file that is named.
    ``known`` are absolute paths of files ingested before: what held one of them may be empty or gone now.
    ``passed_over`` are absolute paths of folders that are not looked into.

    Raises:
        SourceNotFoundError: a path does not exist, a pattern matches nothing, or a folder holds no readable file.
        UsageError: ``include`` or ``exclude`` hold something that is no pattern.
        UnreadableSourceError: a .ragignore file in or above a folder that is given cannot be used.
    """
    asked = [_expand(path, known) for path in paths]  # all, before anything is read
    walk = FolderWalk(passed_over)
    files: dict[str, SourceFile] = {}
    folders: list[str] = []
    named: list[str] = []
    patterns: list[tuple[str, ...]] = []
    for places, pattern in asked:
        asked_rules = _AskedRules(pattern, include, exclude)
        if pattern:
            patterns.append(pattern)
        for place in places:
            is_folder = os.path.isdir(place)  # noqa: PTH112 - which raises nothing, whatever a link leads to
            if is_folder:
                folders.append(os.path.join(place, ""))  # noqa: PTH118 - with its slash
            else:
                named.append(str(place))
            rules = asked_rules.for_place(place, folder=is_folder)
            if rules is None:
                walk.left_out.add(str(place))
            elif is_folder:
                found = list(walk.files(place, rules))
                if not (found or pattern or walk.left_out or _held_any(place, known)):
                    raise SourceNotFoundError(f"no readable file in {printable(place)}")
                files.update((source.location, source) for source in found)
            elif os.path.lexists(place) and (source := _source_file(place, walk.failures)):
                files[source.location] = source
    unnameable = [location for location in files if not _is_text(location)]
    walk.failures.extend(
        failure_of(Path(name), "has a name that is not valid UTF-8", hint="rename it") for name in unnameable
    )
    for location in unnameable:
        del files[location]
    return Discovery(
        sorted(files.values(), key=lambda source: path_order(source.location)),
        walk.failures,
        tuple(folders),
        frozenset(named),
        tuple(patterns),
        frozenset(walk.left_out),
    )


def path_order(location: str) -> str:
    """What absolute paths are ordered by: name by name, so that a folder comes before what has its name and more."""
    return location.replace(os.sep, "\0")


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


class _AskedRules:
    """What is left out of one thing that was asked for: of a pattern's matches, seen from where wildcards begin."""

    def __init__(self, pattern: Sequence[str], include: Sequence[str], exclude: Sequence[str]) -> None:
        """``pattern`` are the names of a pattern's path, none for a file or folder that is named itself."""
        self._include, self._exclude = include, exclude
        self._base = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), pattern)) if pattern else None
        self._known: dict[Path, IgnoreRules | None] = {}

    def for_place(self, place: Path, *, folder: bool) -> IgnoreRules | None:
        """The rules within a folder, or those that a file passed; None where it is left out."""
        if folder and self._base in (None, place):
            return self._of(place)
        if self._base is None:
            rules: IgnoreRules | None = IgnoreRules.given(place.parent, include=self._include, exclude=self._exclude)
        else:
            rules = self._within(place.parent)
        if rules is None or rules.leave_out(str(place), folder=folder):
            return None
        return rules.within(str(place)) if folder else rules

    def _within(self, folder: Path) -> IgnoreRules | None:
        if folder not in self._known:
            self._known[folder] = self._of(folder) if folder == self._base else self.for_place(folder, folder=True)
        return self._known[folder]

    def _of(self, folder: Path) -> IgnoreRules:
        return IgnoreRules.of(folder, include=self._include, exclude=self._exclude)


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


def _source_file(path: Path, failures: list[SourceFailure]) -> SourceFile | None:
    try:
        status = path.stat()
    except OSError as error:
        failures.append(failure_of(path, f"cannot be read: {error.strerror}"))
        return None
    if not stat.S_ISREG(status.st_mode):
        failures.append(failure_of(path, "is no regular file", UnsupportedFormatError))
        return None
    return SourceFile.seen(str(path), status)
