"""Providers as data: where each is, how it wants its key, and how its versions and models differ from its dialect."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources

from rag_engine.errors import ConfigurationError
from rag_engine.types.document import JsonValue


@dataclass(frozen=True, slots=True)
class QuirkRow:
    """How some models or versions differ; ``models`` and ``api_versions`` are patterns as in a shell."""

    values: Mapping[str, JsonValue]
    models: tuple[str, ...] = ("*",)
    api_versions: tuple[str, ...] = ("*",)

    def fits(self, model: str, api_version: str) -> bool:
        """Whether the row is about this model in this version."""
        return any(fnmatchcase(model, pattern) for pattern in self.models) and any(
            fnmatchcase(api_version, pattern) for pattern in self.api_versions
        )


@dataclass(frozen=True, slots=True)
class ProviderData:
    """One provider, as its file in ``data/`` says.

    ``key_header`` is ``authorization`` for a bearer token or the name of another header; ``key_variables`` are looked
    up in the environment in this order. ``needs_key`` is False for servers of one's own. ``base_url_variables`` name
    variables that replace ``base_url``. ``window_quirk`` is the quirk that takes the model's window, for servers that
    cut what is over a window of their own without a word.
    """

    name: str
    dialect: str
    base_url: str
    key_variables: tuple[str, ...] = ()
    key_header: str = "authorization"
    needs_key: bool = True
    base_url_variables: tuple[str, ...] = ()
    api_version: str = ""
    window_quirk: str = ""
    rows: tuple[QuirkRow, ...] = ()

    def quirks(self, model: str, api_version: str) -> dict[str, JsonValue]:
        """What applies to one model in one version; later rows win."""
        merged: dict[str, JsonValue] = {}
        for row in self.rows:
            if row.fits(model, api_version):
                merged.update(row.values)
        return merged


@functools.cache
def provider_names() -> tuple[str, ...]:
    """Every provider with a file, in order."""
    folder = resources.files("rag_engine.llm.providers") / "data"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@functools.cache
def provider_data(name: str) -> ProviderData:
    """What the provider's file says.

    Raises:
        ConfigurationError: there is no such provider.
    """
    if name not in provider_names():
        raise ConfigurationError(
            f"there is no provider {name!r}", hint=f"write PROVIDER/MODEL with one of: {', '.join(provider_names())}"
        )
    file = resources.files("rag_engine.llm.providers") / "data" / f"{name}.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    provider = data["provider"]
    return ProviderData(
        name=name,
        dialect=provider["dialect"],
        base_url=provider["base_url"],
        key_variables=tuple(provider.get("key_variables", ())),
        key_header=provider.get("key_header", "authorization"),
        needs_key=provider.get("needs_key", True),
        base_url_variables=tuple(provider.get("base_url_variables", ())),
        api_version=provider.get("api_version", ""),
        window_quirk=provider.get("window_quirk", ""),
        rows=tuple(
            QuirkRow(
                values={key: value for key, value in row.items() if key not in ("models", "api_versions")},
                models=tuple(row.get("models", ("*",))),
                api_versions=tuple(row.get("api_versions", ("*",))),
            )
            for row in data.get("quirks", ())
        ),
    )
