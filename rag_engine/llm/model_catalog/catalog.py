"""Finds what is known of a model by the name that settings give it, and says honestly where nothing is."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from rag_engine.errors import ConfigurationError
from rag_engine.llm.model_catalog.profile_file import Fields, read_models, read_models_file
from rag_engine.llm.model_catalog.versions import families
from rag_engine.types.models import Ability, ModelProfile, ModelTask

# Of a model that nobody described: small enough for most, counted with a wide margin, and no price, as it would be made
# up.
UNKNOWN_WINDOW = 8192
UNKNOWN_MAX_OUTPUT = 2048
UNKNOWN_TOKENIZER = "estimate"


class ModelCatalog:
    """The models of the package's files, and over them those of the user's."""

    def __init__(self, models_file: Path | None = None) -> None:
        """Raises ConfigurationError where ``models_file`` cannot be read or does not fit; says which key."""
        said = dict(_packaged())
        origin: dict[str, str] = {}
        if models_file is not None:
            for name, fields in read_models_file(models_file).items():
                said[name] = _over(said.get(name, {}), fields)
                origin[name] = f'{models_file}: models."{name}"'
        self._profiles = {name: _profile(name, _whole(name, said, origin)) for name in said}
        self._by_any_name = self._names(origin)

    def __iter__(self) -> Iterator[ModelProfile]:
        """Every model that is described, by provider and in the order of its file."""
        return iter(sorted(self._profiles.values(), key=lambda profile: profile.provider))

    def find(self, name: str) -> ModelProfile:
        """The profile of ``provider/name``, or of an alias. A version of a known model, such as one with a date, has
        the model's profile under its own name; any other has defaults, and ``known`` is False.

        Raises:
            ConfigurationError: the name has no provider, and is not that of one known model alone.
        """
        found = self._by_any_name.get(name) or self._by_any_name.get(name.lower())
        if found is not None:
            return found
        provider, separator, rest = name.partition("/")
        if not (provider and separator and rest):
            raise self._unclear(name)
        for family in families(rest):
            found = self._by_any_name.get(f"{provider}/{family}".lower())
            if found is not None:
                return replace(found, name=rest, aliases=())
        return ModelProfile(
            provider=provider,
            name=rest,
            window=UNKNOWN_WINDOW,
            max_output=UNKNOWN_MAX_OUTPUT,
            tokenizer=UNKNOWN_TOKENIZER,
            known=False,
        )

    def best_for(self, task: ModelTask, *, providers: Collection[str] | None = None) -> list[ModelProfile]:
        """Models with a fitness for the task, the fittest first, of equally fit ones the cheaper; only of ``providers``
        where they are given."""
        fit = [
            profile
            for profile in self._profiles.values()
            if task in profile.fitness and (providers is None or profile.provider in providers)
        ]
        return sorted(fit, key=lambda profile: (-profile.fitness[task], _cost(profile), profile.full_name))

    def _names(self, origin: Mapping[str, str]) -> dict[str, ModelProfile]:
        names: dict[str, ModelProfile] = {}
        for profile in self._profiles.values():
            names[profile.full_name.lower()] = profile
        for profile in self._profiles.values():
            for alias in profile.aliases:
                full = f"{profile.provider}/{alias}".lower()
                other = names.setdefault(full, profile)
                if other is not profile:
                    blamed = origin.get(profile.full_name) or origin.get(other.full_name) or profile.full_name
                    raise ConfigurationError(
                        f"{blamed}: {full} would be both {other.full_name} and {profile.full_name}",
                        hint="take the name out of one model's aliases",
                    )
        return names | self._without_provider(names)

    @staticmethod
    def _without_provider(names: Mapping[str, ModelProfile]) -> dict[str, ModelProfile]:
        """Names that are clear without their provider."""
        short: dict[str, list[ModelProfile]] = {}
        for full, profile in names.items():
            short.setdefault(full.partition("/")[2], []).append(profile)
        return {name: found[0] for name, found in short.items() if len(found) == 1 and name not in names}

    def _unclear(self, name: str) -> ConfigurationError:
        meant = [full for full in self._by_any_name if name and full.partition("/")[2] == name.lower()]
        if meant:
            return ConfigurationError(
                f"{name} is a model of several providers", hint=f"write {' or '.join(sorted(meant))}"
            )
        return ConfigurationError(
            f"{name!r} is no name of a known model", hint="write PROVIDER/NAME; rag models lists what is known"
        )


@functools.cache
def _packaged() -> Mapping[str, Fields]:
    folder = resources.files("rag_engine.llm.model_catalog") / "data"
    said: dict[str, Fields] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            said.update(read_models(file.read_text(encoding="utf-8"), file=file.name))
    return MappingProxyType(said)


def _over(below: Fields, above: Fields) -> Fields:
    """Field by field; the fitness task by task."""
    merged = {**below, **above}
    if "fitness" in below and "fitness" in above:
        merged["fitness"] = {**below["fitness"], **above["fitness"]}
    return merged


def _whole(name: str, said: Mapping[str, Fields], origin: Mapping[str, str]) -> Fields:
    """What a model's file says, and below it what those say that it is like; aliases are nobody else's."""
    fields, seen = said[name], {name}
    while "like" in fields:
        other = fields["like"]
        place = origin.get(name, name)
        if other not in said:
            raise ConfigurationError(
                f"{place}.like: there is no model {other!r}", hint="write PROVIDER/NAME of a known one"
            )
        if other in seen:
            raise ConfigurationError(f"{place}.like leads back to {other}", hint="let one of them say its own facts")
        seen.add(other)
        below = {key: value for key, value in said[other].items() if key != "aliases"}
        fields = _over(below, {key: value for key, value in fields.items() if key != "like"})
    return fields


def _profile(name: str, fields: Fields) -> ModelProfile:
    provider, _, rest = name.partition("/")
    window = fields.get("window", UNKNOWN_WINDOW)
    return ModelProfile(
        provider=provider,
        name=rest,
        window=window,
        max_output=min(fields.get("max_output", UNKNOWN_MAX_OUTPUT), window),
        tokenizer=fields.get("tokenizer", UNKNOWN_TOKENIZER),
        aliases=fields.get("aliases", ()),
        price=fields.get("price"),
        abilities=fields.get("abilities", frozenset({Ability.STREAMING})),
        fitness=dict(fields.get("fitness", {})),
    )


def _cost(profile: ModelProfile) -> float:
    """For comparing: of a prompt that is ten times as long as its answer. Where no price is known it comes last."""
    return float("inf") if profile.price is None else 10 * profile.price.input + profile.price.output
