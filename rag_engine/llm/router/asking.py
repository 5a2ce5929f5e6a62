"""A prompt as a route sees it: what it needs, how long it is, and what of it was found out on the way to a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

from rag_engine.errors import RagEngineError
from rag_engine.llm.router.member import Member
from rag_engine.token_counter import Count, prompt_tokens, surely_fits
from rag_engine.types.generation import Prompt, Requirements
from rag_engine.types.models import Ability, ModelProfile, ModelTask
from rag_engine.types.routing import QualityEstimate

# Tokens of an answer: what one mostly has, and what is set aside where the prompt says no bound.
TYPICAL_OUTPUT_TOKENS = 512
MOST_OUTPUT_TOKENS = 1_024
# Bytes that a token has at least in nearly all texts: for what is only to be compared or set aside.
_BYTES_A_TOKEN = 3
_AROUND_A_TOOL = 40
_NOTHING_NEEDED: frozenset[Ability] = frozenset()


class Room(Enum):
    """Of a prompt and its answer in a window. PERHAPS: the count fits, but not the bound that it may be off by."""

    ENOUGH = "enough"
    PERHAPS = "perhaps"
    NONE = "none"


class Asked:
    """One prompt, on the way through one route. Of one caller: not for several threads.

    ``input_tokens`` are about the most to be expected, without counting; ``output_tokens`` the most, and
    ``answer_tokens`` what is mostly written, by which costs and times are compared.
    """

    __slots__ = (
        "_counts", "answer_tokens", "estimates", "floor", "input_tokens", "output_tokens", "prompt", "requires",
        "spent", "task",
    )  # fmt: skip

    def __init__(self, prompt: Prompt, requires: Requirements, *, task: ModelTask) -> None:
        asked = prompt.sampling.max_output_tokens
        self.prompt = prompt
        self.requires = requires
        self.floor = requires.quality_floor
        self.task = task
        self.input_tokens = expected_input_tokens(prompt)
        self.output_tokens = MOST_OUTPUT_TOKENS if asked is None else asked
        self.answer_tokens = TYPICAL_OUTPUT_TOKENS if asked is None else min(asked, TYPICAL_OUTPUT_TOKENS)
        self.estimates: Mapping[str, QualityEstimate] | None = None
        self.spent: Mapping[str, float] | None = None
        self._counts: dict[tuple[str, str, bool], Count | RagEngineError] | None = None

    def room_in(self, profile: ModelProfile) -> Room:
        """Whether prompt and answer have room in the window, as far as can be told before the provider counts."""
        if surely_fits(self.prompt, profile):
            return Room.ENOUGH
        counted = self._counted(profile)
        if not isinstance(counted, Count):
            return Room.NONE
        asked = self.prompt.sampling.max_output_tokens
        if counted.tokens + (asked or 1) > profile.window:
            return Room.NONE
        return Room.ENOUGH if counted.upper_bound + self._answer(profile) <= profile.window else Room.PERHAPS

    def told_of(self, profile: ModelProfile) -> str:
        """How prompt and answer fill the window, in words."""
        counted = self._counted(profile)
        if not isinstance(counted, Count):
            return f"its tokens cannot be counted: {counted.message}"
        upper = f", at most {counted.upper_bound}" if counted.upper_bound > counted.tokens else ""
        about = "" if counted.exact else "about "
        return (
            f"the prompt has {about}{counted.tokens} tokens{upper}, the answer {self._answer(profile)}, and the window "
            f"holds {profile.window}"
        )

    def _answer(self, profile: ModelProfile) -> int:
        asked = self.prompt.sampling.max_output_tokens
        return min(TYPICAL_OUTPUT_TOKENS, profile.max_output, profile.window // 2) if asked is None else asked

    def _counted(self, profile: ModelProfile) -> Count | RagEngineError:
        """The prompt's tokens, counted once for all models that count alike."""
        alike = profile.provider, profile.tokenizer, Ability.DOCUMENTS in profile.abilities
        if self._counts is None:
            self._counts = {}
        if alike not in self._counts:
            try:
                self._counts[alike] = prompt_tokens(self.prompt, profile)
            except RagEngineError as error:  # no tokenizer: this model is left, others may do
                self._counts[alike] = error
        return self._counts[alike]

    def cost(self, member: Member) -> float | None:
        """US dollars for an answer as it mostly is; None where no price is known."""
        return member.cost(self.input_tokens, self.answer_tokens)


def needed_abilities(prompt: Prompt) -> frozenset[Ability]:
    """What a model must be able to do for this prompt. Sources are sent as documents where a model takes such, and
    stand in the text for others: that needs documents only of a prompt without text."""
    if not prompt.tools and prompt.schema is None and not prompt.documents:
        return _NOTHING_NEEDED
    needed = set()
    if prompt.tools:
        needed.add(Ability.TOOLS)
    if prompt.schema is not None:
        needed.add(Ability.JSON_SCHEMA)
    if prompt.documents and not prompt.content and not prompt.conversation:
        needed.add(Ability.DOCUMENTS)
    return frozenset(needed)


def expected_input_tokens(prompt: Prompt) -> int:
    """About the most tokens that a prompt has, in a microsecond: counted where that was done before."""
    size = 0
    if not prompt.tokens:
        size = _bytes(prompt.instructions) + _bytes(prompt.content or prompt.question)
    for message in prompt.conversation:
        size += _bytes(message.text)
    for tool in prompt.tools:
        size += _AROUND_A_TOOL + len(tool.description) + len(repr(tool.parameters))
    if prompt.schema is not None:
        size += len(repr(prompt.schema.schema))
    return prompt.tokens + -(-size // _BYTES_A_TOKEN)


def together(own: Requirements | None, prompts: Requirements) -> Requirements:
    """What a route requires and what a prompt does; the prompt's floor stands in place of the route's."""
    if own is None:
        return prompts
    return replace(
        prompts,
        task=own.task if prompts.task is None else prompts.task,
        tags=own.tags | prompts.tags,
        local_only=own.local_only or prompts.local_only,
        quality_floor=own.quality_floor if prompts.quality_floor is None else prompts.quality_floor,
    )


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
