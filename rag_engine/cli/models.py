"""The command ``rag models``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, Json, settings_from
from rag_engine.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from rag_engine.config import Settings
    from rag_engine.llm.model_catalog import ModelCatalog
    from rag_engine.types.models import ModelProfile


def models(
    provider: Annotated[
        str | None, typer.Option("--provider", help="Only this provider's.", metavar="NAME", show_default="all")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", help="Only those fit for a kind of work, the fittest first.", metavar="TASK"),
    ] = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List language models: windows, prices, what each can do, what counts its tokens, and whether its key is there.

    Models of your own, or other facts about these, stand in the file that llm.models_file names.

    **Examples:**  rag models  ·  rag models --provider anthropic  ·  rag models --task summarization --json
    """
    from rag_engine.llm.model_catalog import ModelCatalog

    settings = settings_from(config)
    file = settings.llm.models_file
    catalog = ModelCatalog(None if file is None else Path(file).expanduser())
    chosen = _configured(catalog, settings)
    rows = [
        _row(profile, settings, configured=chosen is not None and profile.full_name == chosen.full_name)
        for profile in _listed(catalog, chosen, provider=provider, task=task)
    ]
    if as_json:
        print_json({"models": rows})
    else:
        _show(rows)


def _configured(catalog: ModelCatalog, settings: Settings) -> ModelProfile | None:
    """The model of the settings; None where its name is none, which is told where it is used."""
    try:
        return catalog.find(settings.llm.model)
    except ConfigurationError:
        return None


def _listed(
    catalog: ModelCatalog, chosen: ModelProfile | None, *, provider: str | None, task: str | None
) -> list[ModelProfile]:
    from rag_engine.types.models import ModelTask

    known = list(catalog)
    providers = sorted({profile.provider for profile in known} | ({chosen.provider} if chosen else set()))
    if provider is not None and provider not in providers:
        raise UsageError(f"no model of a provider {provider!r} is known", hint=f"one of: {', '.join(providers)}")
    if task is not None:
        if task not in list(ModelTask):
            raise UsageError(f"{task!r} is no kind of work", hint=f"one of: {', '.join(ModelTask)}")
        return catalog.best_for(ModelTask(task), providers=None if provider is None else {provider})
    if chosen is not None and all(profile.full_name != chosen.full_name for profile in known):
        known.insert(0, chosen)
    return [profile for profile in known if provider in (None, profile.provider)]


def _row(profile: ModelProfile, settings: Settings, *, configured: bool) -> dict[str, Any]:
    from rag_engine.token_counter import counts_exactly

    price = profile.price
    return {
        "name": profile.full_name,
        "aliases": profile.aliases,
        "window": profile.window,
        "max_output": profile.max_output,
        "price": None
        if price is None
        else {
            "input": price.input,
            "output": price.output,
            "cache_read": price.cache_read,
            "cache_write": price.cache_write,
            "as_of": price.as_of.isoformat(),
        },
        "abilities": sorted(profile.abilities),
        "tokenizer": profile.tokenizer,
        "exact": counts_exactly(profile.tokenizer),
        "fitness": {task.value: value for task, value in profile.fitness.items()},
        "key": _key(profile.provider, settings),
        "known": profile.known,
        "configured": configured,
    }


def _key(provider: str, settings: Settings) -> dict[str, Any] | None:
    """Where the provider's key is looked for and whether one is there, nothing of the key; None where there is no such
    provider to send one to."""
    from rag_engine.llm.providers.provider_data import provider_data, provider_names

    if provider not in provider_names():
        return None
    data = provider_data(provider)
    places = {variable: bool(os.environ.get(variable)) for variable in data.key_variables}
    if settings.llm.model.partition("/")[0] == provider:
        if settings.llm.key is not None:
            places["llm.key"] = bool(settings.llm.key.get_secret_value())
        if settings.llm.key_file is not None:
            places["llm.key_file"] = Path(settings.llm.key_file).expanduser().is_file()
    return {"needed": data.needs_key, "places": list(places), "set": any(places.values())}


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from rag_engine.cli.terminal import console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title, side in (
        ("model", "left"),
        ("window", "right"),
        ("output", "right"),
        ("$/M in, out", "right"),
        ("as of", "left"),
        ("tokens", "left"),
        ("key", "left"),
        ("abilities", "left"),
    ):
        table.add_column(title, justify=side)  # type: ignore[arg-type]
    for row in rows:
        name = Text(row["name"], style="bold cyan" if row["configured"] else "")
        name.append("" if row["known"] else "  (not known: defaults)", style="yellow")
        table.add_row(
            name.append("  <- configured" if row["configured"] else "", style="dim"),
            f"{row['window']:,}",
            f"{row['max_output']:,}",
            "not known" if row["price"] is None else f"{row['price']['input']:g}, {row['price']['output']:g}",
            "" if row["price"] is None else row["price"]["as_of"],
            Text(_counted_by(row)),
            _key_in_words(row["key"]),
            " ".join(row["abilities"]),
        )
    console().print(table)


def _key_in_words(key: dict[str, Any] | None) -> str:
    if key is None:
        return ""
    if not (key["needed"] or key["set"]):
        return "none needed"
    return f"{' or '.join(key['places'])}: {'set' if key['set'] else 'absent'}"


def _counted_by(row: Mapping[str, Any]) -> str:
    if row["exact"]:
        return f"{row['tokenizer']}, exact"
    return "estimate" if row["tokenizer"] == "estimate" else f"{row['tokenizer']}, estimate"
