"""What a route knows of each of its deployments before anybody asks, laid out so that a choice takes microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from rag_engine.llm.deployment import Deployment
from rag_engine.types.models import ModelTask

if TYPE_CHECKING:
    from rag_engine.llm.router.routed_model import RoutedModel

_PER = 1_000_000
# A model of which nobody said how good it is, among such as somebody did.
UNKNOWN_FITNESS = 0.5


class Member:
    """One deployment as a member of one route.

    ``at`` is its place in the listing, ``model`` the full name by which quality and money are known of. Prices are in
    US dollars for one token, None where unknown; what is local and has none is free. ``budgets`` are what it may cost
    a day, each with the key of ``budgets.Budgets`` under which that is summed. ``route`` is its model, where it is one.
    """

    __slots__ = (
        "at", "breaker", "budgets", "deployment", "input_price", "limiter", "load", "model", "most_input_price",
        "output_price", "profile", "route", "share", "weight",
    )  # fmt: skip

    def __init__(
        self,
        deployment: Deployment,
        *,
        at: int,
        route: RoutedModel | None,
        budgets: Sequence[tuple[str, float]] = (),
    ) -> None:
        profile = deployment.profile
        price = profile.price
        self.at = at
        self.deployment = deployment
        self.profile = profile
        self.model = profile.full_name
        self.breaker = deployment.breaker
        self.limiter = deployment.limiter
        self.load = deployment.load
        self.weight = deployment.weight
        self.share = 1.0 / deployment.weight
        self.route = route
        self.budgets = tuple(budgets)
        free = 0.0 if deployment.local and route is None else None
        self.input_price = free if price is None else price.input / _PER
        self.output_price = free if price is None else price.output / _PER
        self.most_input_price = free if price is None else max(price.input, price.cache_write or 0.0) / _PER

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars for so many tokens; None where no price is known."""
        if self.input_price is None or self.output_price is None:
            return None
        return input_tokens * self.input_price + output_tokens * self.output_price

    def most_cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """The same where all that is read is written to the provider's cache, if that costs more."""
        if self.most_input_price is None or self.output_price is None:
            return None
        return input_tokens * self.most_input_price + output_tokens * self.output_price


class Level:
    """Members that are asked before or after others whatever the strategy says, and facts about them side by side.

    ``qualities`` are those of the profiles for the task that is asked for, None where they say nothing; ``guesses`` are
    the same with a guess there.
    """

    __slots__ = ("best_first", "cumulative", "equal_weights", "guesses", "members", "qualities", "smallest_window")

    def __init__(self, members: Sequence[Member], *, task: ModelTask) -> None:
        self.members = tuple(members)
        self.qualities = tuple(member.profile.fitness.get(task) for member in members)
        self.cumulative = tuple(accumulate(member.weight for member in members))
        self.equal_weights = len({member.weight for member in members}) == 1
        self.smallest_window = min(member.profile.window for member in members)
        self.guesses = tuple(UNKNOWN_FITNESS if quality is None else quality for quality in self.qualities)
        order = sorted(range(len(members)), key=lambda at: (-self.guesses[at], at))
        self.best_first = tuple(self.members[at] for at in order)

    @property
    def weight(self) -> float:
        """Of all together."""
        return self.cumulative[-1]
