"""Reads files with models: those of the package, and the user's own, which say the same in the same form.

::

    [models."openai/gpt-5"]
    like = "openai/gpt-5-mini"          # takes over what is not said here; anything may be left out of a known model
    window = 400_000                    # tokens of prompt and answer together
    max_output = 128_000                # tokens of an answer
    price = { input = 1.25, output = 10.0, as_of = 2025-11-01 }  # US dollars for a million tokens
    abilities = ["streaming", "tools"]
    tokenizer = "o200k_base"            # a name, or the path of a tokenizer.json beside this file
    aliases = ["five"]
    fitness = { all = 0.8, code = 0.9 } # in [0, 1] a task; all: those not named
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from rag_engine.errors import ConfigurationError
from rag_engine.token_counter import check_tokenizer
from rag_engine.types.models import Ability, ModelTask, Price

Fields = dict[str, Any]
_Member = TypeVar("_Member", bound=StrEnum)
_ALL = "all"  # tasks


def read_models(text: str, *, file: Path | str) -> dict[str, Fields]:
    """By full name what a file says of each model, checked; ``like`` is left as it stands.

    Raises:
        ConfigurationError: the file is no TOML, or a key is unknown or a value unfit; names file and key.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is no TOML: {error}", hint="mend the file") from error
    unknown = sorted(set(tables) - {"models"})
    if unknown:
        raise ConfigurationError(f"{file}: unknown key {unknown[0]}", hint='write [models."PROVIDER/NAME"]')
    models = _table(tables.get("models", {}), f"{file}: models")
    return {name: _fields(name, table, file) for name, table in models.items()}


def read_models_file(path: Path) -> dict[str, Fields]:
    """What a user's file says.

    Raises:
        ConfigurationError: as ``read_models``, or the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} cannot be read: {why}", hint="check llm.models_file") from error
    return read_models(text, file=path)


def _fields(name: str, table: object, file: Path | str) -> Fields:
    place = f'{file}: models."{name}"'
    provider, separator, rest = name.partition("/")
    if not (provider and separator and rest):
        raise ConfigurationError(f"{place} is no name of a model", hint='write [models."PROVIDER/NAME"]')
    read: Fields = {}
    for key, value in _table(table, place).items():
        reader = _READERS.get(key)
        if reader is None:
            raise ConfigurationError(f"{place}: unknown key {key}", hint=f"known here: {', '.join(_READERS)}")
        read[key] = reader(value, f"{place}.{key}")
    if "tokenizer" in read:
        read["tokenizer"] = _tokenizer(read["tokenizer"], f"{place}.tokenizer", file)
    return read


def _tokenizer(name: str, place: str, file: Path | str) -> str:
    """The name; of a file the path as seen from the file that names it."""
    try:
        check_tokenizer(name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: {error.message}", hint=error.hint) from error
    if name.endswith(".json") and isinstance(file, Path):
        return str(file.parent / Path(name).expanduser())
    return name


def _table(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{place} is {value!r}, and should be a table", hint="write it in braces or below [...]"
        )
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{place} is {value!r}, and should be a text", hint='write it as "text"')
    return value


def _whole(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{place} is {value!r}, and should be a whole number above 0", hint="count in tokens")
    return value


def _number(value: object, place: str, *, most: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isinf(value):
        limit = "from 0 up" if most == math.inf else f"from 0 to {most:g}"
        raise ConfigurationError(f"{place} is {value!r}, and should be a number {limit}", hint="mend the number")
    return float(value)


def _texts(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigurationError(f"{place} is {value!r}, and should be a list", hint='write ["one", "another"]')
    return tuple(_text(one, place) for one in value)


def _member(kind: type[_Member], value: str, place: str) -> _Member:
    try:
        return kind(value)
    except ValueError:
        raise ConfigurationError(f"{place}: unknown {value!r}", hint=f"known: {', '.join(kind)}") from None


def _abilities(value: object, place: str) -> frozenset[Ability]:
    return frozenset(_member(Ability, one, place) for one in _texts(value, place))


def _fitness(value: object, place: str) -> dict[ModelTask, float]:
    table = {key: _number(one, f"{place}.{key}", most=1.0) for key, one in _table(value, place).items()}
    everywhere = table.pop(_ALL, None)
    named = {_member(ModelTask, key, place): one for key, one in table.items()}
    return named if everywhere is None else {**dict.fromkeys(ModelTask, everywhere), **named}


def _price(value: object, place: str) -> Price:
    table = dict(_table(value, place))
    missing = sorted({"input", "output", "as_of"} - set(table))
    if missing:
        raise ConfigurationError(f"{place}: {missing[0]} is missing", hint="a price is input, output and as_of")
    unknown = sorted(set(table) - {"input", "output", "as_of", "cache_read", "cache_write"})
    if unknown:
        raise ConfigurationError(f"{place}: unknown key {unknown[0]}", hint="known: cache_read, cache_write")
    as_of = table.pop("as_of")
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        raise ConfigurationError(f"{place}.as_of is {as_of!r}, and should be a date", hint="write as_of = 2026-01-31")
    return Price(as_of=as_of, **{key: _number(one, f"{place}.{key}") for key, one in table.items()})


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "like": _text,
    "window": _whole,
    "max_output": _whole,
    "price": _price,
    "abilities": _abilities,
    "tokenizer": _text,
    "aliases": _texts,
    "fitness": _fitness,
}
