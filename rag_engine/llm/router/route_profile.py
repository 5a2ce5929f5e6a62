"""What is known of a route before it is asked, for routes that hold it as one of their deployments."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.errors import ConfigurationError
from rag_engine.llm.deployment import Deployment
from rag_engine.types.models import Ability, ModelProfile, Price

PROVIDER = "route"


def route_profile(deployments: Sequence[Deployment], *, name: str) -> ModelProfile:
    """The profile of the route ``name`` of these: what any of them can do, the largest window, and the highest prices,
    so that no budget is deceived; no price where one of them has none. Of a task the fittest counts.

    Raises:
        ConfigurationError: no deployments.
    """
    if not deployments:
        raise ConfigurationError(f"route {name!r} has no deployments", hint="give it one at least")
    profiles = [deployment.profile for deployment in deployments]
    widest = max(profiles, key=lambda profile: profile.window)
    abilities: frozenset[Ability] = frozenset().union(*(profile.abilities for profile in profiles))
    return ModelProfile(
        provider=PROVIDER,
        name=name,
        window=widest.window,
        max_output=max(profile.max_output for profile in profiles),
        tokenizer=widest.tokenizer,
        price=_dearest([profile.price for profile in profiles]),
        abilities=abilities,
        fitness={
            task: max(profile.fitness[task] for profile in profiles if task in profile.fitness)
            for task in {task for profile in profiles for task in profile.fitness}
        },
        known=all(profile.known for profile in profiles),
    )


def _dearest(prices: Sequence[Price | None]) -> Price | None:
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    writes = [price.cache_write for price in known if price.cache_write is not None]
    return Price(
        input=max(price.input for price in known),
        output=max(price.output for price in known),
        as_of=min(price.as_of for price in known),
        cache_write=max(writes) if writes else None,
    )
