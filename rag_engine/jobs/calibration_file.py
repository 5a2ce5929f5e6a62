"""calibration.json: an index's calibration, with what it was made with; fit for use only as long as that is so."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_engine.context_retrieval.calibration import Calibration
from rag_engine.errors import CalibrationError
from rag_engine.index import Catalog, read_lock
from rag_engine.index.files import sync_folder, write_text, writing
from rag_engine.types.health import CalibrationState

if TYPE_CHECKING:
    from rag_engine.evaluation.calibration_report import CalibrationReport  # what asks needs no measures

FILE_NAME = "calibration.json"
FORMAT = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What decides a raw confidence: another of these, and a calibration says nothing about it.

    ``weights`` is the digest of the embedder's, ``settings`` one of the settings by which passages are chosen.
    """

    engine: str
    model: str
    weights: str
    chunker: str
    settings: str


def made_with(catalog: Catalog, *, engine: str, model: str, settings: Mapping[str, Any]) -> MadeWith | None:
    """What would decide a confidence now; None before the first ingest."""
    lock = read_lock(catalog)
    if lock is None:
        return None
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
    return MadeWith(engine, model, lock.embedder.weights, lock.chunker, digest[:16])


def write_calibration(folder: Path, report: CalibrationReport, *, origin: MadeWith) -> None:
    """Stores a calibration in the index's folder; the one that was there is replaced whole or not at all.

    Raises:
        StorageFullError, IndexReadOnlyError, StorageError: it cannot be written.
    """
    stored = {"format": FORMAT, "made_with": asdict(origin), "calibration": report.to_json()}
    write_text(folder / FILE_NAME, json.dumps(stored, indent=1, ensure_ascii=False) + "\n")


def remove_calibration(folder: Path) -> bool:
    """Removes the index's calibration; says whether there was one."""
    path = folder / FILE_NAME
    with writing(path):
        if not path.exists():
            return False
        path.unlink()
        sync_folder(folder)
    return True


def read_calibration(folder: Path, *, origin: MadeWith | None, abstain_below: float) -> Calibration | None:
    """The index's calibration, where there is one that can be used; a warning says so where it cannot.

    Where it was made without a risk, its threshold is ``abstain_below``.
    """
    calibration, state = _read(folder, origin, abstain_below)
    if state is not None and state.ignored is not None:
        _log.warning("%s is ignored: %s; %s", folder / FILE_NAME, state.ignored, REMEDY)
    return calibration


REMEDY = "make it anew with: rag calibrate, or remove it with: rag calibrate --reset"


def calibration_state(folder: Path, *, origin: MadeWith | None) -> CalibrationState | None:
    """What an index's status says of its calibration; None where it has none."""
    return _read(folder, origin, 0.0)[1]


def _read(
    folder: Path, origin: MadeWith | None, abstain_below: float
) -> tuple[Calibration | None, CalibrationState | None]:
    try:
        stored = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, RecursionError) as error:
        return None, CalibrationState(ignored=f"it cannot be read ({error})")
    try:
        if stored["format"] != FORMAT:
            return None, CalibrationState(ignored=f"it has format {stored['format']}, and this version reads {FORMAT}")
        found = MadeWith(**stored["made_with"])
        values = stored["calibration"]
        threshold = values["threshold"]
        calibration = Calibration(
            offset=float(values["offset"]),
            slope=float(values["slope"]),
            threshold=abstain_below if threshold is None else float(threshold),
        )
        state = CalibrationState(
            source=str(values["source"]),
            commit=int(values["commit"]),
            questions=int(values["fitted"]) + int(values["held_out"]),
            risk=None if values["risk"] is None else float(values["risk"]),
            threshold=None if threshold is None else float(threshold),
        )
    except (KeyError, TypeError, ValueError, AttributeError, CalibrationError) as error:
        return None, CalibrationState(ignored=f"it is damaged ({type(error).__name__}: {error})")
    if found != origin:
        return None, CalibrationState(ignored=f"it was made with {_difference(found, origin)}")
    return calibration, state


def _difference(found: MadeWith, origin: MadeWith | None) -> str:
    named = {
        "engine": "another version of the engine",
        "weights": "another embedding model",
        "chunker": "another chunker",
    }
    named |= {"model": "another language model", "settings": "other settings of retrieval and answering"}
    differing = [
        named[field.name]
        for field in fields(MadeWith)
        if origin is None or getattr(found, field.name) != getattr(origin, field.name)
    ]
    return " and ".join(differing)
