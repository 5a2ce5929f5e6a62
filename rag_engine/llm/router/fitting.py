"""Which deployments are fit for prompts of one kind, found out once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_engine.llm.deployment import Deployment
from rag_engine.llm.router.asking import Asked, needed_abilities
from rag_engine.llm.router.checks import Checks
from rag_engine.llm.router.member import Level, Member
from rag_engine.types.models import Ability, ModelTask

_Kind = tuple[frozenset[Ability], frozenset[str], bool, "float | None", ModelTask]
# Kinds of prompts that are remembered; more of them are found out anew.
_MOST_KINDS = 256


@dataclass(frozen=True, slots=True)
class Fit:
    """Those that passed what can be checked beforehand, level by level, and the full names of their models.
    ``longer`` and ``refused`` are those of the spare ones for either."""

    levels: tuple[Level, ...]
    longer: tuple[Member, ...]
    refused: tuple[Deployment, ...]
    models: tuple[str, ...]

    @property
    def for_longer(self) -> tuple[Deployment, ...]:
        """The deployments of ``longer``."""
        return tuple(member.deployment for member in self.longer)


class Fitting:
    """Finds them, and remembers. From any thread."""

    def __init__(
        self, members: Sequence[Member], *, longer: Sequence[Member], refused: Sequence[Member], checks: Checks
    ) -> None:
        self._members = members
        self._longer = longer
        self._refused = refused
        self._checks = checks
        self._known: dict[_Kind, Fit] = {}

    def of(self, asked: Asked) -> Fit:
        """Those for such prompts."""
        requires = asked.requires
        kind = needed_abilities(asked.prompt), requires.tags, requires.local_only, asked.floor, asked.task
        fit = self._known.get(kind)
        if fit is None:
            fit = self._found(asked)
            if len(self._known) >= _MOST_KINDS:
                self._known.clear()
            self._known[kind] = fit
        return fit

    def _found(self, asked: Asked) -> Fit:
        fit = self._passing(self._members, asked)
        orders = sorted({member.deployment.order for member in fit})
        return Fit(
            levels=tuple(
                Level([member for member in fit if member.deployment.order == order], task=asked.task)
                for order in orders
            ),
            longer=self._passing(self._longer, asked),
            refused=tuple(member.deployment for member in self._passing(self._refused, asked)),
            models=tuple(dict.fromkeys(member.model for member in fit)),
        )

    def _passing(self, members: Sequence[Member], asked: Asked) -> tuple[Member, ...]:
        return tuple(member for member in members if self._checks.beforehand(member, asked) is None)
