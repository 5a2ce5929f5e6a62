"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from rag_engine.errors import EvaluationError

_HINT = "choose a folder that exists and is writable"


def write_whole(path: Path, text: str, *, what: str) -> None:
    """Writes UTF-8 text beside the place where it is to be, then moves it there.

    Raises:
        EvaluationError: the file cannot be written; ``what`` says which it is.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        try:
            partial.write_text(text, encoding="utf-8", newline="\n")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise EvaluationError(f"{what} {path} cannot be written: {error.strerror}", hint=_HINT) from error


def check_place(path: Path, *, what: str) -> None:
    """Whether a file could be written there, before the work for it is done.

    Raises:
        EvaluationError: its folder is absent or not writable, or it is itself a folder.
    """
    path = Path(path)
    folder = path.parent
    reason = None
    if path.is_dir():
        reason = "it is a folder"
    elif not folder.is_dir():
        reason = f"there is no folder {folder}"
    elif not os.access(folder, os.W_OK):
        reason = f"the folder {folder} is not writable"
    if reason is not None:
        raise EvaluationError(f"{what} {path} cannot be written: {reason}", hint=_HINT)
