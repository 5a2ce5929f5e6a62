"""Bodies as they were before they were compressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

# So much at a time, so that a bomb is noticed before it has gone off.
_STEP = 1 << 20
_GZIP = 31


class BrokenContentError(Exception):
    """The bytes are not what the header Content-Encoding says."""


class Content:
    """Unpacks one body of gzip, the one encoding that is asked for."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(_GZIP)
        self._begun = False

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """The bytes behind ``data``, at most a mebibyte at a time.

        Raises:
            BrokenContentError: they cannot be unpacked.
        """
        while data:
            if self._unpacker.eof:
                # Members may follow one another.
                self._unpacker = zlib.decompressobj(_GZIP)
            try:
                piece = self._unpacker.decompress(data, _STEP)
            except zlib.error:
                raise BrokenContentError("it is not the gzip that it says it is") from None
            self._begun = True
            data = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            if piece:
                yield piece

    @property
    def complete(self) -> bool:
        """Whether the packed bytes end where they should."""
        return self._unpacker.eof or not self._begun
