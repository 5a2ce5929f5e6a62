"""Where a provider's key comes from: given, in a file, or in the environment. It is shown nowhere."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from rag_engine.errors import ConfigurationError, MissingKeyError
from rag_engine.llm.providers.provider_data import ProviderData
from rag_engine.llm.transport import checked_key
from rag_engine.types.secret import Secret

# The longest of any provider has a few hundred characters; tokens of cloud accounts have some thousands.
_LONGEST = 16_384


def find_key(
    provider: ProviderData,
    *,
    key: Secret | None = None,
    key_file: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Secret | None:
    """The key: ``key``, else what ``key_file`` holds, else the first of the provider's variables that is set; None
    where there is none and none is needed.

    Raises:
        MissingKeyError: one is needed; names the variables.
        MalformedKeyError: it holds what no header can hold.
        ConfigurationError: the file cannot be read.
    """
    found = (
        key or _from_file(key_file) or _from_environment(provider, os.environ if environment is None else environment)
    )
    if found:
        return checked_key(found, provider=provider.name)
    if provider.needs_key:
        variables = " or ".join(provider.key_variables)
        raise MissingKeyError(
            f"there is no key for {provider.name}",
            hint=f"put it into the environment variable {variables}, or its file's path into llm.key_file",
            provider=provider.name,
            phase="before_sending",
        )
    return None


def _from_environment(provider: ProviderData, environment: Mapping[str, str]) -> Secret | None:
    for variable in provider.key_variables:
        if environment.get(variable):
            return Secret(environment[variable])
    return None


def _from_file(name: str | None) -> Secret | None:
    if not name:
        return None
    path = Path(name).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
        readable_by_others = os.name == "posix" and bool(path.stat().st_mode & 0o077)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the key file {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}",
            hint="set llm.key_file to a file that holds the key and nothing else",
        ) from None  # an error of decoding holds the file's bytes
    key = text.strip()
    if not key or len(text) > _LONGEST:
        raise ConfigurationError(
            f"the key file {path} {'is empty' if not key else 'is too long for a key'}",
            hint="put the key into it and nothing else",
        )
    if readable_by_others:
        logging.getLogger(__name__).warning("others may read the key file %s: chmod 600 it", path)
    return Secret(key)
