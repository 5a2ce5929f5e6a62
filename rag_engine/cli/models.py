"""The command ``rag models``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_engine.cli.json_output import print_json
from rag_engine.cli.options import Config, Debug, IndexName, Json, Root, index_folder, settings_from
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
    health: Annotated[
        bool,
        typer.Option("--health", help="How the deployments of the settings and the routes file do, instead of a list."),
    ] = False,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="With --health: ask each one now for one token, which costs some 15 tokens of input and one.",
        ),
    ] = False,
    index: IndexName = None,
    root: Root = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List language models: windows, prices, what each can do, what counts its tokens, and whether its key is there.

    Models of your own, or other facts about these, stand in the file that llm.models_file names. With --health it
    shows what is known of how each configured deployment does: whether it is asked, since what and until when not.

    **Examples:**  rag models  ·  rag models --task summarization --json  ·  rag models --health --probe
    """
    if probe and not health:
        raise UsageError("--probe asks the deployments that --health shows", hint="rag models --health --probe")
    if health:
        if provider is not None or task is not None:
            raise UsageError("--health shows all configured deployments", hint="leave out --provider and --task")
        from rag_engine.cli.health_output import print_health

        settings = settings_from(config, root=root)
        print_health(index_folder(settings, index), settings, probe=probe, as_json=as_json)
        return
    from rag_engine.llm.model_catalog import ModelCatalog

    settings = settings_from(config)
    file = settings.llm.models_file
    catalog = ModelCatalog(None if file is None else Path(file).expanduser())
    chosen = _configured(catalog, settings)
    names = {profile.full_name for profile in chosen}
    rows = [
        _row(profile, settings, configured=profile.full_name in names)
        for profile in _listed(catalog, chosen, provider=provider, task=task)
    ]
    if as_json:
        print_json({"models": rows})
    else:
        _show(rows)


def _configured(catalog: ModelCatalog, settings: Settings) -> list[ModelProfile]:
    """The model of the settings, or those of the route that answers; none where its name is none, or a file does not
    fit: that is told where it is used."""
    from rag_engine.llm.routes import configured_table, leaves

    llm = settings.llm
    try:
        table, route = configured_table(model=llm.model, fallbacks=llm.fallbacks, routes_file=llm.routes_file)
        named = leaves(route, table) if route else (llm.model,)
        found = [catalog.find(table.deployments[name].model if name in table.deployments else name) for name in named]
    except ConfigurationError:
        return []
    return list({profile.full_name: profile for profile in found}.values())


def _listed(
    catalog: ModelCatalog, chosen: Sequence[ModelProfile], *, provider: str | None, task: str | None
) -> list[ModelProfile]:
    from rag_engine.types.models import ModelTask

    known = list(catalog)
    providers = sorted({profile.provider for profile in (*known, *chosen)})
    if provider is not None and provider not in providers:
        raise UsageError(f"no model of a provider {provider!r} is known", hint=f"one of: {', '.join(providers)}")
    if task is not None:
        if task not in list(ModelTask):
            raise UsageError(f"{task!r} is no kind of work", hint=f"one of: {', '.join(ModelTask)}")
        return catalog.best_for(ModelTask(task), providers=None if provider is None else {provider})
    names = {profile.full_name for profile in known}
    known[:0] = [profile for profile in chosen if profile.full_name not in names]
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
