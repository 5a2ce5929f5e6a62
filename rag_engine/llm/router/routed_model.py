"""A LanguageModel that chooses among others for each prompt."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import RagEngineError
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, Plan
from rag_engine.llm.router.asking import Asked, together
from rag_engine.llm.router.budgets import Budgets
from rag_engine.llm.router.checks import Checks, Standing, Verdict
from rag_engine.llm.router.decision import Recorder
from rag_engine.llm.router.fitting import Fit, Fitting
from rag_engine.llm.router.member import Member
from rag_engine.llm.router.membership import check_membership, models_behind
from rag_engine.llm.router.strategies import Strategy, strategy_named
from rag_engine.llm.router.task_of import task_of_question
from rag_engine.protocols import CallLedger, ModelSelector
from rag_engine.types.generation import Completion, CompletionEvent, Prompt, Requirements
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import Candidate, QualityEstimate, RouteDecision

PREFIX = "route/"
_ASKED = (Standing.FIT, Standing.TIGHT)


class RoutedModel:
    """A route. Thread-safe, and usable from any loop; may itself be a deployment's model."""

    def __init__(
        self,
        *,
        name: str,
        deployments: Sequence[Deployment],
        strategy: Strategy | str = "priority",
        failover: FailoverHandler | None = None,
        requires: Requirements | None = None,
        for_longer: Sequence[Deployment] = (),
        for_refused: Sequence[Deployment] = (),
        selector: ModelSelector | None = None,
        ledger: CallLedger | None = None,
        budgets: Mapping[str, float] | None = None,
        generator: random.Random | None = None,
    ) -> None:
        """``requires`` holds for every prompt, beside what that requires itself. ``ledger`` says what was spent.

        ``budgets`` are US dollars a day by ``model:PROVIDER/NAME``, ``provider:NAME`` or ``route``, beside those of the
        deployments. ``generator`` gives strategies their random numbers.

        Raises:
            ConfigurationError: no deployments, two of one name, a route within itself, a strategy that is none, a
                weight that is none, or a budget without a ledger.
        """
        everyone = check_membership(name, deployments, for_longer, for_refused, prefix=PREFIX)
        self._name = PREFIX + name
        self._everyone = everyone
        self._strategy = strategy_named(strategy) if isinstance(strategy, str) else strategy
        self._requires = None if requires == Requirements() else requires
        self._selector = selector
        self._generator = random.Random() if generator is None else generator  # noqa: S311 - spreads calls
        if generator is None:  # else all children of a process would spread theirs alike
            across_forks(self, begin_anew=lambda one: one._generator.seed())
        self._said = False
        self._failover = FailoverHandler() if failover is None else failover
        self.models = frozenset().union(*(models_behind(deployment) for deployment in everyone))
        """Full names of all models behind the route."""
        limits = Budgets(
            {} if budgets is None else budgets,
            deployments=[(deployment, models_behind(deployment)) for deployment in everyone],
            ledger=ledger,
        )
        self._checks = Checks(needs_price=self._strategy.needs_price, budgets=limits, learns=selector is not None)
        members = {
            deployment.name: Member(
                deployment,
                at=at,
                route=deployment.model if isinstance(deployment.model, RoutedModel) else None,
                budgets=limits.of(deployment),
            )
            for at, deployment in enumerate(everyone)
        }
        self._members = tuple(members[deployment.name] for deployment in deployments)
        self._fitting = Fitting(
            self._members,
            longer=[members[deployment.name] for deployment in for_longer],
            refused=[members[deployment.name] for deployment in for_refused],
            checks=self._checks,
        )
        self._recorder = Recorder(self._members, strategy=self._strategy, checks=self._checks)

    @property
    def name(self) -> str:
        """``route/NAME``."""
        return self._name

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """All of the route's, those for longer and for refused prompts last."""
        return self._everyone

    def plan(self, prompt: Prompt) -> Plan:
        """Whom to ask; looks no further than it must.

        Behind those that are fit and well come those whose window may be too small, then those that are fit, but not
        well now or at a limit: the last resort.
        """
        asked = self._asked(prompt, together(self._requires, prompt.requires))
        fit = self._fit(asked)
        return Plan(
            route=self._name,
            ranked=(member.deployment for member, _ in self._walk(fit, asked, self._generator.random)),
            left=lambda: self._left(asked),
            for_longer=fit.for_longer if fit.longer else (),
            for_refused=fit.refused,
            input_tokens=asked.input_tokens,
            output_tokens=asked.output_tokens,
        )

    def decide(self, prompt: Prompt) -> RouteDecision:
        """Whom it would ask and why, of every deployment; nothing is sent, nothing is changed: what a strategy would
        draw is told with its probability, and the order is the one that the next plan would have."""
        asked = self._asked(prompt, together(self._requires, prompt.requires), told=True)
        fit = self._fit(asked, estimate=True)
        generator = random.Random()  # noqa: S311
        generator.setstate(self._generator.getstate())
        return RouteDecision(
            route=self._name,
            strategy=self._strategy.name,
            task=asked.task,
            input_tokens=asked.input_tokens,
            candidates=self._recorder.candidates(self._walk(fit, asked, generator.random), fit, asked),
        )

    def refusal(self, prompt: Prompt, requires: Requirements) -> Verdict | None:
        """Why no deployment is fit and well for this prompt and what is required besides; None where one is."""
        asked = self._asked(prompt, together(self._requires, requires))
        fit = self._fit(asked)
        standings = set()
        for level in fit.levels:
            for member in level.members:
                standing = self._checks.standing(member, asked)
                if standing in _ASKED:
                    return None
                standings.add(standing)
        if Standing.TOO_LONG in standings and any(
            self._checks.standing(member, asked) in _ASKED for member in fit.longer
        ):
            return None
        verdicts = [(member, self._checks.verdict(member, asked)) for member in self._members]
        reasons = [(member, verdict) for member, verdict in verdicts if verdict is not None]
        if len(reasons) < len(verdicts):
            return None  # one has become well meanwhile
        passing = Standing.LAST_RESORT in standings
        first = next((verdict for _, verdict in reasons if verdict.passing == passing), reasons[0][1])
        told = "; ".join(f"{member.deployment.name}: {verdict.reason}" for member, verdict in reasons)
        return Verdict(first.check, f"none of its models fits: {told}", passing)

    async def complete(self, prompt: Prompt) -> Completion:
        """The whole answer. Raises as ``FailoverHandler.complete``."""
        prompt = self._told(prompt)
        return await self._failover.complete(prompt, self.plan(prompt))

    def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        """The answer as it is written. Raises as ``FailoverHandler.stream``."""
        prompt = self._told(prompt)
        return self._failover.stream(prompt, self.plan(prompt))

    async def aclose(self) -> None:
        """Closes the deployments' models that can be closed."""
        failed: BaseException | None = None
        for deployment in self._everyone:
            close = getattr(deployment.model, "aclose", None)
            if close is None:
                continue
            try:
                await close()
            except Exception as error:  # noqa: BLE001 - the others are closed first
                failed = failed or error
        if failed is not None:
            raise failed

    def _told(self, prompt: Prompt) -> Prompt:
        """The prompt with what the route requires: a route within this one goes by it too."""
        requires = together(self._requires, prompt.requires)
        return prompt if requires == prompt.requires else replace(prompt, requires=requires)

    def _asked(self, prompt: Prompt, requires: Requirements, *, told: bool = False) -> Asked:
        task = requires.task
        if task is None:
            if told or self._strategy.needs_task or requires.quality_floor is not None:
                task = task_of_question(prompt.question or prompt.content)
            else:
                task = ModelTask.QUESTION_ANSWERING  # nothing goes by it
        return Asked(prompt, requires, task=task)

    def _fit(self, asked: Asked, *, estimate: bool = False) -> Fit:
        fit = self._fitting.of(asked)
        if self._selector is not None and (estimate or self._strategy.needs_estimates or asked.floor is not None):
            asked.estimates = self._estimates(self._selector, fit, asked)
        return fit

    def _estimates(self, selector: ModelSelector, fit: Fit, asked: Asked) -> Mapping[str, QualityEstimate]:
        try:
            return selector.estimates(asked.prompt.question or asked.prompt.content, task=asked.task, models=fit.models)
        except RagEngineError as error:
            if not self._said:
                self._said = True
                logging.getLogger(__name__).warning(
                    "%s: what was learnt of its models cannot be told (%s); it goes by their profiles",
                    self._name, error.message,
                )  # fmt: skip
            return {}

    def _walk(self, fit: Fit, asked: Asked, draw: Callable[[], float]) -> Iterator[tuple[Member, Standing]]:
        """Those to be asked in their order, found as they are asked for."""
        standing_of = self._checks.standing
        ranked = self._strategy.ranked
        resorts: list[Member] = []
        tight: list[Member] = []
        answered = too_long = False
        for level in fit.levels:
            for member in ranked(level, asked, draw):
                standing = standing_of(member, asked)
                if standing is Standing.FIT:
                    answered = True
                    yield member, standing
                elif standing is Standing.TIGHT:
                    tight.append(member)
                elif standing is Standing.LAST_RESORT:
                    resorts.append(member)
                elif standing is Standing.TOO_LONG:
                    too_long = True
        for member in tight:
            yield member, Standing.TIGHT
        if too_long and not answered and not tight:
            for member in fit.longer:
                standing = standing_of(member, asked)
                if standing in _ASKED:
                    yield member, standing
                elif standing is Standing.LAST_RESORT:
                    resorts.append(member)
        for member in dict.fromkeys(resorts):
            yield member, Standing.LAST_RESORT

    def _left(self, asked: Asked) -> Sequence[Candidate]:
        return self._recorder.left(asked)
