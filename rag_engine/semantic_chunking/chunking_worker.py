"""The chunking pool's child: cuts the documents that come on standard input, with the chunker that comes first.

It is ours and trusts its parent: frames are pickles. It imports as little as it can, since there are several.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import struct
import sys
from typing import IO, Any, TypeAlias

from rag_engine.errors import ChunkingError, RagEngineError
from rag_engine.protocols import Chunker
from rag_engine.types.document import Document

HEADER = struct.Struct(">Q")
READY = "ready"
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)

# A chunk without its text, which the parent has: ordinal, start, end, heading path, context before the text, tokens.
Cut: TypeAlias = "tuple[int, int, int, tuple[str, ...], str, int]"


def main() -> None:
    """Answers until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # whatever prints must not print among the frames
    chunker: Chunker | None = None
    while header := requests.read(HEADER.size):
        request = pickle.loads(requests.read(*HEADER.unpack(header)))  # noqa: S301
        if chunker is None:
            chunker = request
            send(replies, READY)
            continue
        try:
            send(replies, [cut(chunker, document) for document in request])
        except (MemoryError, BrokenPipeError):
            os._exit(1)  # the parent notices, and tries again where there may be room


def send(stream: IO[bytes], message: Any) -> None:
    """One frame: its length, then the pickle."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(HEADER.pack(len(body)))
    stream.write(body)
    stream.flush()


def cut(chunker: Chunker, document: Document) -> list[Cut] | RagEngineError:
    """The chunks of a document, or why there are none."""
    try:
        return [
            (
                chunk.ordinal,
                chunk.start,
                chunk.end,
                chunk.heading_path,
                chunk.embedded_text[: len(chunk.embedded_text) - len(chunk.text)],
                chunk.tokens,
            )
            for chunk in chunker.chunk(document)
        ]
    except RagEngineError as error:
        return error
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - one document must not stop the others
        return ChunkingError(f"{document.id} cannot be cut into chunks ({type(error).__name__})")
