"""tiktoken's encodings from rank files that are there. Left to itself tiktoken fetches them at first use, and deletes
those that it takes for damaged; here nothing is fetched, and nothing deleted."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import ModelNotFoundError
from rag_engine.token_counter.tokenizer_data import EncodingData, encodings

if TYPE_CHECKING:
    import tiktoken

_HINT = "point TIKTOKEN_CACHE_DIR at a folder that holds its ranks"
_loaded: dict[str, tiktoken.Encoding] = {}
_loading = threading.Lock()


def load_encoding(name: str, *, environment: Mapping[str, str] | None = None) -> tiktoken.Encoding:
    """The encoding, loaded once a process.

    Raises:
        ModelNotFoundError: there is no such encoding, or its ranks are not at hand or not what they should be.
    """
    encoding = _loaded.get(name)
    if encoding is None:
        with _loading:
            encoding = _loaded.get(name)
            if encoding is None:
                encoding = _loaded[name] = _load(name, os.environ if environment is None else environment)
    return encoding


def _load(name: str, environment: Mapping[str, str]) -> tiktoken.Encoding:
    data = encodings().get(name)
    if data is None:
        raise ModelNotFoundError(f"there is no encoding {name} of tiktoken", hint=f"known: {', '.join(encodings())}")
    ranks = _ranks(data, environment)
    import tiktoken

    return tiktoken.Encoding(
        name, pat_str=data.pattern, mergeable_ranks=ranks, special_tokens=dict(data.special_tokens)
    )


def ranks_file(data: EncodingData, environment: Mapping[str, str] | None = None) -> Path | None:
    """Where tiktoken has kept the ranks; None where it has not, or was told to keep none."""
    file = _place(data, os.environ if environment is None else environment)
    return file if file is not None and file.is_file() else None


def _ranks(data: EncodingData, environment: Mapping[str, str]) -> dict[bytes, int]:
    file = _place(data, environment)
    if file is None:
        raise ModelNotFoundError(
            f"tiktoken's encoding {data.name} cannot be had: its cache is switched off", hint=_HINT
        )
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelNotFoundError(
            f"tiktoken's encoding {data.name} cannot be had: no ranks at {file} ({error.strerror})", hint=_HINT
        ) from error
    if hashlib.sha256(content).hexdigest() != data.sha256:
        raise ModelNotFoundError(
            f"tiktoken's encoding {data.name} cannot be had: {file} is not what was published",
            hint="remove the file and copy it again",
        )
    pairs = (line.split() for line in content.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _place(data: EncodingData, environment: Mapping[str, str]) -> Path | None:
    """The file's place in tiktoken's folder: it is told by a variable, which is empty where it should keep none."""
    name = hashlib.sha1(data.address.encode(), usedforsecurity=False).hexdigest()
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if variable in environment:
            return Path(environment[variable]) / name if environment[variable] else None
    import tempfile  # imports much, and is seldom needed

    return Path(tempfile.gettempdir()) / "data-gym-cache" / name


def _begin_anew(_: object) -> None:
    global _loading  # noqa: PLW0603 - in the child of a fork the parent's may be held for ever
    _loading = threading.Lock()


across_forks(load_encoding, begin_anew=_begin_anew)
