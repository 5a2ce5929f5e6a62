"""From a model's name to a LanguageModel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import ConfigurationError
from rag_engine.llm.keys import find_key
from rag_engine.llm.model_catalog import ModelCatalog
from rag_engine.llm.provider_model import Endpoint, ProviderModel
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.provider_data import ProviderData, provider_data, provider_names
from rag_engine.llm.providers.registry import dialect
from rag_engine.llm.retrying_model import RetryingModel
from rag_engine.llm.transport import Transport, WireLimits, checked_base_url
from rag_engine.protocols import CallLedger
from rag_engine.types.document import JsonValue
from rag_engine.types.models import ModelProfile
from rag_engine.types.secret import Secret


class OpenedModel(RetryingModel):
    """A provider's model, tried again where that helps, over a wire of its own or a shared one."""

    def __init__(
        self, model: ProviderModel, *, policy: RetryPolicy, deadline_seconds: float, transport: Transport, owned: bool
    ) -> None:
        super().__init__(model, policy=policy, deadline_seconds=deadline_seconds)
        self.profile: ModelProfile = model.profile
        self._transport = transport
        self._owned = owned

    async def aclose(self) -> None:
        """Closes its connections, where they are its own."""
        if self._owned:
            await self._transport.aclose()

    async def __aenter__(self) -> OpenedModel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    api_version: str | None = None,
    key: Secret | str | None = None,
    key_file: str | None = None,
    limits: WireLimits | None = None,
    policy: RetryPolicy | None = None,
    catalog: ModelCatalog | None = None,
    transport: Transport | None = None,
    ledger: CallLedger | None = None,
    max_output_tokens: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> OpenedModel:
    """The model ``PROVIDER/MODEL``, or one of the catalog's names and aliases; nothing is sent yet.

    The key is ``key``, else what ``key_file`` holds, else in the provider's environment variable. ``limits`` hold for
    all attempts together. ``max_output_tokens`` bounds answers to prompts without a bound of their own.

    Raises:
        ConfigurationError: no such provider, or an address that is none.
        MissingKeyError, MalformedKeyError: no usable key.
    """
    limits = WireLimits() if limits is None else limits
    wire = Transport(limits=limits) if transport is None else transport
    asked = provider_model(
        name,
        base_url=base_url,
        api_version=api_version,
        key=Secret(key) if isinstance(key, str) else key,
        key_file=key_file,
        catalog=catalog,
        transport=wire,
        ledger=ledger,
        max_output_tokens=max_output_tokens,
        environment=environment,
    )
    return OpenedModel(
        asked,
        policy=RetryPolicy() if policy is None else policy,
        deadline_seconds=limits.deadline,
        transport=wire,
        owned=transport is None,
    )


def provider_model(
    name: str,
    *,
    transport: Transport,
    base_url: str | None = None,
    api_version: str | None = None,
    key: Secret | None = None,
    key_file: str | None = None,
    key_variables: tuple[str, ...] = (),
    catalog: ModelCatalog | None = None,
    ledger: CallLedger | None = None,
    max_output_tokens: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> ProviderModel:
    """The model that ``open_model`` opens, which tries once; ``transport`` is not its own. ``key_variables`` take the
    place of the provider's.

    Raises:
        ConfigurationError, MissingKeyError, MalformedKeyError: as ``open_model``.
    """
    provider, model, profile = named_model(name, ModelCatalog() if catalog is None else catalog)
    version = provider.api_version if api_version is None else api_version
    keyed = replace(provider, key_variables=key_variables, needs_key=True) if key_variables else provider
    return ProviderModel(
        target=Target(
            provider=provider.name,
            model=model,
            api_version=version,
            quirks=_window_of(provider, profile) | provider.quirks(model, version),
            max_output=profile.max_output,
        ),
        endpoint=Endpoint(
            base_url=address_of(provider, base_url, environment),
            key=find_key(keyed, key=key, key_file=key_file, environment=environment),
            key_header=provider.key_header,
        ),
        dialect=dialect(provider.dialect),
        transport=transport,
        profile=profile,
        ledger=ledger,
        max_output_tokens=max_output_tokens,
    )


def named_model(name: str, catalog: ModelCatalog) -> tuple[ProviderData, str, ModelProfile]:
    """The provider, the model's name there and its profile.

    Raises:
        ConfigurationError: no provider has a model of that name.
    """
    profile = catalog.find(name)
    head, slash, model = name.partition("/")
    if slash and head in provider_names():
        return provider_data(head), profile.name if profile.known and model in profile.aliases else model, profile
    if profile.known and profile.provider in provider_names():
        return provider_data(profile.provider), profile.name, profile
    raise ConfigurationError(
        f"no provider has a model {name!r}",
        hint=f"write PROVIDER/MODEL with one of: {', '.join(provider_names())}; rag models lists names",
    )


def _window_of(provider: ProviderData, profile: ModelProfile) -> dict[str, JsonValue]:
    return {provider.window_quirk: profile.window} if provider.window_quirk else {}


def address_of(provider: ProviderData, base_url: str | None, environment: Mapping[str, str] | None = None) -> str:
    """Where the provider's interface is: ``base_url``, else as the environment or its data say.

    Raises:
        ConfigurationError: it is no address, or there is none.
    """
    return checked_base_url(base_url or _base_url(provider, environment))


def _base_url(provider: ProviderData, environment: Mapping[str, str] | None) -> str:
    import os

    found = os.environ if environment is None else environment
    for variable in provider.base_url_variables:
        if found.get(variable):
            return found[variable]
    if not provider.base_url:
        raise ConfigurationError(
            f"{provider.name} has no address of its own",
            hint=f"set llm.base_url, or the environment variable {' or '.join(provider.base_url_variables)}",
        )
    return provider.base_url
