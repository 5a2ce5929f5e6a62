"""Quirks as a dialect reads them: a small record for each dialect, and no key that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TypeVar

from rag_engine.errors import ConfigurationError
from rag_engine.types.document import JsonValue

Quirks = TypeVar("Quirks")


def read_quirks(kind: type[Quirks], values: Mapping[str, JsonValue]) -> Quirks:
    """``kind`` is a dataclass whose fields all have defaults; their types are those that values must have.

    Raises:
        ConfigurationError: an unknown key, or a value of another type than the default's.
    """
    defaults = kind()
    known = {field.name: type(getattr(defaults, field.name)) for field in fields(kind)}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in known:
            raise ConfigurationError(f"no quirk is called {key!r}", hint=f"write one of: {', '.join(sorted(known))}")
        if type(value) is not known[key]:
            raise ConfigurationError(
                f"the quirk {key} is {value!r}", hint=f"write a value of type {known[key].__name__}"
            )
    return kind(**values)
