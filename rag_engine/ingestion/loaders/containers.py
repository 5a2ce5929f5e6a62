"""Files that hold files: archives, and mail with its attachments. Here, and only here, one file leads to another.

Each member is read by the loader that its own name and bytes ask for, and becomes a document ``archive.zip/a/b.md``.
Whatever lies in one source, however deep, shares one allowance of files and bytes, so a bomb of small archives is
worth no more than a large one. Names are labels: nothing is written anywhere.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from rag_engine.errors import (
    DuplicateDocumentError,
    EmptySourceError,
    IngestionError,
    ParserCrashError,
    ParserFailureError,
    ParserMemoryError,
    ParserTimeoutError,
    ParsingError,
    SourceTooLargeError,
)
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

_Record = TypeVar("_Record", bound=Document | SourceFailure)
_HINT = "unpack it, or raise ingestion.archive_depth, ingestion.archive_members or ingestion.archive_bytes in rag.toml"


@dataclass(frozen=True, slots=True)
class Member:
    """A file within another: its name there, its size in bytes, and how to get at them.

    ``read`` raises IngestionError where that cannot be done, which is this member's failure alone.
    """

    name: str
    size: int
    read: Callable[[], bytes]


class Container(ABC):
    """A loader of files that hold files."""

    # Raised whenever the same members may come out otherwise.
    own_version = 1

    @property
    def version(self) -> int:
        """Of this loader and of all that read what it holds."""
        return self.own_version + members_version()

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
        """What it says itself and the documents of its members, such as ``mail.eml`` and ``mail.eml/report.pdf``, with
        the failures of those that cannot be read."""
        return Allowance(limits).unpack(self, data, name=name)

    @abstractmethod
    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Document | SourceFailure | Member]:
        """The files that lie in ``data``, in order, with documents that the container makes of itself among them.

        Raises:
            IngestionError: the container as a whole cannot be read.
        """


class Allowance:
    """What may still come out of one source: ``members`` files and ``unpacked_bytes`` bytes, under ``limits``."""

    def __init__(self, limits: LoadLimits) -> None:
        self.limits = limits
        self.members = limits.max_members
        self.unpacked_bytes = limits.max_unpacked_bytes
        self._around: list[bytes] = []  # digests of the containers that are open, the outermost first
        self._records = 0  # so far
        self._fatal_after = dict(limits.fatal_after)

    def unpack(self, container: Container, data: bytes, *, name: str) -> Iterator[Document | SourceFailure]:
        """What a container holds, and what is held by the containers in it.

        Raises:
            IngestionError: it cannot be read, holds itself, lies too deep, or holds nothing to read.
        """
        digest = hashlib.sha256(data).digest()
        if digest in self._around:
            raise ParsingError(f"{name} holds itself", hint="remove it")
        self._around.append(digest)
        try:
            yield from self._unpack(container, data, name)
        finally:
            self._around.pop()

    def _unpack(self, container: Container, data: bytes, name: str) -> Iterator[Document | SourceFailure]:
        seen: set[str] = set()
        empty = True
        for item in container.members(data, name=name, allowance=self):
            if not isinstance(item, Member):
                empty = False
                yield self._counted(item)
                continue
            path = member_path(item.name)
            if _is_hidden(path):
                continue
            empty = False
            if len(self._around) > self.limits.max_depth:
                raise SourceTooLargeError(f"{name} lies in more than {self.limits.max_depth - 1} others", hint=_HINT)
            if not self.members:
                error = SourceTooLargeError(
                    f"only {self.limits.max_members:,} files of one source are read; the others are left out",
                    hint=_HINT,
                )
                yield self._counted(_failure(f"{name}/{path}", error))
                return
            self.members -= 1
            yield from self._read(item, f"{name}/{path}", seen)
        if empty:
            raise EmptySourceError(f"{name} holds no files")

    def _read(self, member: Member, name: str, seen: set[str]) -> Iterator[Document | SourceFailure]:
        """A member's documents; whatever is wrong with it is its own failure."""
        try:
            yield from self._load(self._bytes(member, name, seen), name)
        except IngestionError as error:
            yield self._counted(_failure(name, error))
        except RecursionError:
            yield self._counted(_failure(name, ParsingError(f"{name} is nested too deeply", hint="flatten it")))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a hostile member may raise anything in a parser
            yield self._counted(_failure(name, ParsingError(f"{name} cannot be parsed ({type(error).__name__})")))

    def _bytes(self, member: Member, name: str, seen: set[str]) -> bytes:
        if name in seen:
            raise DuplicateDocumentError(f"{name} is there twice; the first is read", hint="rename one of them")
        seen.add(name)
        if member.size > self.unpacked_bytes:
            raise SourceTooLargeError(
                f"{name} has {member.size:,} bytes, and {self.unpacked_bytes:,} are left to its source", hint=_HINT
            )
        data = member.read()
        self.unpacked_bytes -= len(data)
        return data

    def _load(self, data: bytes, name: str) -> Iterator[Document | SourceFailure]:
        from rag_engine.ingestion.loaders.selection import select_loader

        loader = select_loader(name, data)
        if isinstance(loader, Container):
            yield from self.unpack(loader, data, name=name)
            return
        if self._records in self._fatal_after:
            raise _fatal(name, self._fatal_after[self._records])
        for record in loader.load(data, name=name, limits=self.limits):
            yield self._counted(record)

    def _counted(self, record: _Record) -> _Record:
        self._records += 1
        return record


@cache
def members_version() -> int:
    """Raised with the version of any loader: what a container gives depends on those of all that may lie in it."""
    from rag_engine.ingestion.loaders.selection import every_loader

    return sum(loader.version for loader in every_loader() if not isinstance(loader, Container))


def member_path(name: str) -> str:
    """A member's name as a path with slashes that leads nowhere else: no root, no drive, no way up."""
    parts = canonical(name.replace("\\", "/").encode("utf-8", "backslashreplace").decode()).split("/")
    kept = [" ".join(part.split()) for part in parts if part.strip() not in ("", ".", "..")]
    return "/".join(kept) or "unnamed"


def _is_hidden(path: str) -> bool:
    """Whether discovery would pass it over in a folder; so are the shadows that macOS adds to its archives."""
    return path.startswith((".", "__MACOSX/")) or "/." in path


def _fatal(name: str, code: str) -> ParserFailureError:
    kind = next((kind for kind in (ParserTimeoutError, ParserMemoryError) if kind.code == code), ParserCrashError)
    reason = {ParserTimeoutError: "ran over its time cap", ParserMemoryError: "ran over its memory cap"}
    return kind(f"the parser of {name} {reason.get(kind, 'died')}")


def _failure(source: str, error: IngestionError) -> SourceFailure:
    message = error.message if source in error.message else f"{source}: {error.message}"
    return SourceFailure(source, error.code, message, error.hint)
