"""A stand-in for the sandbox that parses in this process: for tests with many ingests that are about something else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rag_engine.errors import UnreadableSourceError
from rag_engine.ingestion import ParsedSource, select_loader
from rag_engine.types.ingestion import LoadLimits


class InProcessSandbox:
    """Reads files as ``Sandbox`` does, without its caps."""

    process_id = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def kill(self) -> None:
        """There is nothing to kill."""

    @contextmanager
    def open(self, path: Path, *, name: str, fatal_after: tuple[tuple[int, str], ...] = ()) -> Iterator[ParsedSource]:
        """The records of a file."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UnreadableSourceError(f"{name} cannot be read: {error.strerror}") from error
        loader = select_loader(name, data)
        yield ParsedSource(
            sha256=hashlib.sha256(data).hexdigest(),
            loader=loader.name,
            version=loader.version,
            holds_files=hasattr(loader, "members"),
            records=iter(loader.load(data, name=name, limits=LoadLimits(10**7, fatal_after=fatal_after))),
        )
