"""Makes deployments of what is written of them, each once."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rag_engine.errors import AuthenticationError, ConfigurationError, MissingKeyError
from rag_engine.llm.circuit_breaker import CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.deployment_load import DeploymentLoad
from rag_engine.llm.model_catalog import ModelCatalog
from rag_engine.llm.opening import address_of, named_model, provider_model
from rag_engine.llm.rate_limit import RateLimiter
from rag_engine.llm.routes.entries import SETTINGS_ROUTE, DeploymentEntry, RouteTable
from rag_engine.llm.routes.keyless_model import KeylessModel
from rag_engine.llm.transport import Transport, is_local
from rag_engine.protocols import CallLedger, HealthLedger, LanguageModel

_log = logging.getLogger(__name__)


class DeploymentMaker:
    """Makes the deployments of providers' models; ``made`` are those until now, by name."""

    def __init__(
        self,
        said: RouteTable,
        *,
        transport: Transport,
        catalog: ModelCatalog,
        ledger: CallLedger | None,
        health: HealthLedger | None,
        max_output_tokens: int | None,
        environment: Mapping[str, str] | None,
    ) -> None:
        self._said = said
        self._transport = transport
        self._catalog = catalog
        self._ledger = ledger
        self._health = health
        self._max_output_tokens = max_output_tokens
        self._environment = environment
        self.made: dict[str, Deployment] = {}

    def deployment(self, name: str, *, place: str) -> Deployment:
        """That of a name, or of ``PROVIDER/MODEL``; ``place`` says where that stands.

        Raises:
            ConfigurationError: there is no such model, or what is said of it does not fit.
        """
        if name not in self.made:
            entry = self._said.deployments.get(name) or DeploymentEntry(name=name, model=name, place=place)
            try:
                self.made[name] = self._made(entry)
            except ConfigurationError as error:
                raise ConfigurationError(f"{entry.place}: {error.message}", hint=error.hint) from error
        return self.made[name]

    def _made(self, entry: DeploymentEntry) -> Deployment:
        provider, _, profile = named_model(entry.model, self._catalog)
        address = address_of(provider, entry.base_url, self._environment)
        model: LanguageModel
        ledger = self._health
        unusable = ""
        try:
            model = provider_model(
                entry.model,
                transport=self._transport,
                base_url=entry.base_url,
                api_version=entry.api_version,
                key=entry.key,
                key_file=entry.key_file,
                key_variables=() if entry.key_variable is None else (entry.key_variable,),
                catalog=self._catalog,
                ledger=self._ledger,
                max_output_tokens=self._max_output_tokens,
                environment=self._environment,
            )
        except AuthenticationError as error:
            error = _with_its_place(error, entry)
            unusable = f"{error.message} ({error.hint})"
            _log.warning("%s of the routes cannot be asked: %s", entry.name, unusable)
            model = KeylessModel(profile, error)
            ledger = None  # other processes may have the key, and so may this one's next start
        load = DeploymentLoad()
        breaker = CircuitBreaker(
            entry.name,
            policy=self._said.breaker,
            ledger=ledger,
            averages=lambda: (load.first_token_seconds, load.token_seconds),
        )
        return Deployment(
            name=entry.name,
            model=model,
            profile=profile,
            weight=entry.weight,
            order=entry.order,
            tags=entry.tags,
            local=is_local(address) if entry.local is None else entry.local,
            budget_per_day=entry.budget_per_day,
            unusable=unusable,
            given_breaker=breaker,
            limiter=RateLimiter(entry.limits),
            load=load,
        )


def _with_its_place(error: AuthenticationError, entry: DeploymentEntry) -> AuthenticationError:
    """The error, with a hint that names this deployment's place for a key."""
    if entry.key_variable is not None or not isinstance(error, MissingKeyError) or entry.place == SETTINGS_ROUTE:
        return error
    name = "NAME" if entry.name == entry.model else entry.name
    hint = (error.hint or "").replace("llm.key_file", f"deployments.{name}.key_file of the routes file")
    return MissingKeyError(error.message, hint=hint, provider=error.provider, phase=error.phase)
