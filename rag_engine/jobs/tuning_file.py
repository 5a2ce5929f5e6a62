"""tuning.json: what a gold set said of an index's retrieval; fit for use as long as model and chunker are the same."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.index import Catalog, read_lock
from rag_engine.index.files import sync_folder, write_text, writing

if TYPE_CHECKING:
    from rag_engine.jobs.tune import TuningReport

FILE_NAME = "tuning.json"
_log = logging.getLogger(__name__)


def write_tuning(folder: Path, report: TuningReport, *, catalog: Catalog) -> None:
    """Stores the report in the index's folder; the one that was there is replaced whole or not at all.

    Raises:
        StorageFullError, IndexReadOnlyError, StorageError: it cannot be written.
    """
    write_text(folder / FILE_NAME, json.dumps({"made_with": _origin(catalog), **report.to_json()}, indent=1) + "\n")


def remove_tuning(folder: Path) -> bool:
    """Removes the index's tuning; says whether there was one."""
    path = folder / FILE_NAME
    with writing(path):
        if not path.exists():
            return False
        path.unlink()
        sync_folder(folder)
    return True


def tuned_offset(folder: Path, *, catalog: Catalog) -> float:
    """What is added to the dense leg's weight, in logits: 0 without a tuning, and where it was made with another model
    or chunker or cannot be read, which is said once."""
    try:
        stored = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        offset = float(stored["offset"])
        if not math.isfinite(offset):
            raise ValueError(offset)  # noqa: TRY301 - told as any other damage
        if stored["made_with"] == _origin(catalog):
            return offset
        why = "it was made with another model or chunker"
    except FileNotFoundError:
        return 0.0
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"it cannot be read ({type(error).__name__})"
    _log.warning("%s is ignored: %s; make it anew with rag tune GOLD, or rag tune --reset", folder / FILE_NAME, why)
    return 0.0


def _origin(catalog: Catalog) -> list[str] | None:
    lock = read_lock(catalog)
    return None if lock is None else [lock.embedder.weights, lock.chunker]
