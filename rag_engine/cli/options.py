"""Options that several commands share, and what they make of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_engine.errors import UsageError

if TYPE_CHECKING:
    from rag_engine.config import Settings

DEFAULT_INDEX = "default"

IndexName = Annotated[
    str | None, typer.Option("--index", "-i", help="Name of the index.", metavar="NAME", show_default=DEFAULT_INDEX)
]
Root = Annotated[
    str | None,
    typer.Option(
        "--root", help="Folder that holds the indexes.", envvar="RAG_ENGINE_ROOT", metavar="DIR", show_default="indexes"
    ),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file.", metavar="FILE", show_default="rag.toml, if there")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Wait = Annotated[
    float | None,
    typer.Option("--wait", help="Seconds to wait for another writer.", min=0, metavar="SECONDS", show_default="30"),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Folder or name of a sentence-transformers model.",
        metavar="MODEL",
        show_default="all-MiniLM-L6-v2",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include", help="Only files that match, written as in a .gitignore; may be repeated.", metavar="PATTERN"
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Nothing that matches, in the same way; may be repeated.", metavar="PATTERN"),
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a document of which anything would be left out.")]
Mode = Annotated[
    str | None, typer.Option("--mode", "-m", help="hybrid, dense or lexical.", metavar="MODE", show_default="hybrid")
]
NoOptimize = Annotated[bool, typer.Option("--no-optimize", help="Search for the question as it stands.")]
Diversity = Annotated[
    float | None,
    typer.Option(
        "--diversity",
        help="How much a passage loses by saying what one before it says, 0 to 1.",
        min=0,
        max=1,
        metavar="X",
        show_default="0",
    ),
]
FilterOption = Annotated[
    str | None,
    typer.Option(
        "--filter", "-f", help="Only documents whose metadata satisfy this, such as: year >= 2020", metavar="EXPR"
    ),
]


def settings_from(
    config: Path | None,
    *,
    root: str | None = None,
    wait: float | None = None,
    model: str | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    no_optimize: bool = False,
    diversity: float | None = None,
) -> Settings:
    """The settings, with what the command line says over everything else."""
    from rag_engine.config import load_settings

    overrides: dict[str, dict[str, Any]] = {
        "index": {},
        "embedding": {},
        "ingestion": {},
        "query_optimizer": {},
        "retrieval": {},
    }
    if no_optimize:
        overrides["query_optimizer"]["enabled"] = False
    if root is not None:
        overrides["index"]["root"] = root
    if wait is not None:
        overrides["index"]["wait_seconds"] = wait
    if model is not None:
        overrides["embedding"]["model"] = model
    if include:
        overrides["ingestion"]["include"] = tuple(include)
    if exclude:
        overrides["ingestion"]["exclude"] = tuple(exclude)
    if diversity is not None:
        overrides["retrieval"]["diversity"] = diversity
    return load_settings(config, overrides=overrides)


def index_folder(settings: Settings, name: str | None) -> Path:
    """Where the index of this name lives.

    Raises:
        UsageError: the name is no name of a folder.
    """
    name = DEFAULT_INDEX if name is None else name
    if not name or name in (".", "..") or any(character in name for character in "/\\\0"):
        raise UsageError(f"{name!r} is no name for an index", hint="give a name, and the folder above it as --root")
    return Path(settings.index.root) / name
