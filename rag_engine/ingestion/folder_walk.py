"""Every regular file below a folder, without what is hidden or left out, and never in circles."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag_engine.errors import IngestionError, UnreadableSourceError
from rag_engine.ingestion.ignore_rules import IgnoreRules
from rag_engine.types.document import SourceFailure

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

    @classmethod
    def seen(cls, location: str, status: os.stat_result) -> SourceFile:
        """A file of which the file system says ``status``."""
        # Some file systems number inodes beyond what a database's integer holds.
        inode = status.st_ino & _LARGEST_INTEGER
        return cls(location, status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode)


@dataclass(slots=True)
class FolderWalk:
    """Walks below folders, and keeps what it could not look into and what rules left out.

    ``left_out`` are locations of files, and of folders that were not looked into. ``passed_over`` are folders that
    are none of the user's, such as the index that is written to.
    """

    passed_over: Collection[str] = ()
    failures: list[SourceFailure] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)

    def files(self, root: Path, rules: IgnoreRules) -> Iterator[SourceFile]:
        """The files below ``root``; each folder once, reached through real folders before links.

        ``rules`` are those within ``root``.
        """
        entered: set[tuple[int, int]] = set()
        folders: list[tuple[str, IgnoreRules]] = [(str(root), rules)]
        links: list[tuple[str, IgnoreRules]] = []
        while folders or links:
            folder, rules = folders.pop() if folders else links.pop()
            try:
                status = os.stat(folder)  # noqa: PTH116 - one of many
                if (status.st_dev, status.st_ino) in entered:
                    continue
                entered.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name, reverse=True)
                if folder != str(root):
                    rules = rules.within(folder)
            except OSError as error:
                self.failures.append(failure_of(Path(folder), f"cannot be read: {error.strerror}"))
                continue
            except IngestionError as error:  # what its rules leave out must not be taken for want of them
                self.failures.append(SourceFailure(printable(Path(folder)), error.code, error.message, error.hint))
                continue
            for entry in listed:
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_dir():
                        self._enter(entry, rules, folders, links)
                    elif entry.is_file():
                        if rules.leave_out(entry.path):
                            self.left_out.add(entry.path)
                        else:
                            yield SourceFile.seen(entry.path, entry.stat())
                except OSError as error:
                    self.failures.append(failure_of(Path(entry.path), f"cannot be read: {error.strerror}"))

    def _enter(
        self,
        entry: os.DirEntry[str],
        rules: IgnoreRules,
        folders: list[tuple[str, IgnoreRules]],
        links: list[tuple[str, IgnoreRules]],
    ) -> None:
        if rules.leave_out(entry.path, folder=True):
            self.left_out.add(entry.path)
        elif entry.is_symlink():
            if not _leads_back(Path(entry.path)):
                links.append((entry.path, rules))
        elif entry.path not in self.passed_over:
            folders.append((entry.path, rules))


def _leads_back(link: Path) -> bool:
    """Whether a link to a folder leads to one that the link itself lies in."""
    return Path(os.path.realpath(link.parent)).is_relative_to(os.path.realpath(link))


def printable(path: Path) -> str:
    """A path as text that is valid UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def failure_of(
    path: Path, reason: str, kind: type[IngestionError] = UnreadableSourceError, *, hint: str = ""
) -> SourceFailure:
    """The failure of a path, for a reason; ``hint`` in place of what else mends its kind."""
    error = kind(f"{printable(path)} {reason}", hint=hint or kind.default_hint)
    return SourceFailure(printable(path), error.code, error.message, error.hint)
