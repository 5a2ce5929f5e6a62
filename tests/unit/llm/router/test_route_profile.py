"""What is said of a route before it is asked."""

from __future__ import annotations

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.llm.router import route_profile
from rag_engine.types.models import Ability, ModelTask
from tests.unit.llm.router.made import deployment


def test_a_route_can_what_any_of_its_own_can_and_costs_what_the_dearest_does() -> None:
    small = deployment("small", window=4_000, max_output=2_000, price=(9.0, 1.0), fitness={ModelTask.CODE: 0.9})
    large = deployment(
        "large", window=90_000, price=(1.0, 20.0), abilities=[Ability.TOOLS],
        fitness={ModelTask.CODE: 0.2, ModelTask.REASONING: 0.5},
    )  # fmt: skip
    profile = route_profile([small, large], name="both")
    assert profile.full_name == "route/both"
    assert (profile.window, profile.max_output) == (90_000, 2_000)
    assert profile.abilities == {Ability.STREAMING, Ability.TOOLS}
    assert profile.fitness == {ModelTask.CODE: 0.9, ModelTask.REASONING: 0.5}
    assert profile.price is not None
    assert (profile.price.input, profile.price.output) == (9.0, 20.0)
    assert profile.known


def test_one_without_a_price_or_a_description_leaves_the_route_without() -> None:
    profile = route_profile([deployment("a"), deployment("b", price=None, known=False)], name="both")
    assert profile.price is None
    assert not profile.known


def test_of_nothing_there_is_no_profile() -> None:
    with pytest.raises(ConfigurationError, match="has no deployments"):
        route_profile([], name="none")
