"""What counts a model's tokens, by the name that its profile gives: exactly where that can be had, else an estimate."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Protocol

from rag_engine.error_handler.forks import across_forks
from rag_engine.errors import ConfigurationError, ModelNotFoundError
from rag_engine.protocols import Tokenizer
from rag_engine.token_counter.estimate import Estimate, fitted_estimates
from rag_engine.token_counter.model_tokenizer import ModelTokenizer
from rag_engine.token_counter.tiktoken_ranks import ranks_file
from rag_engine.token_counter.tiktoken_tokenizer import TiktokenTokenizer
from rag_engine.token_counter.tokenizer_data import NamedTokenizer, encodings, named_tokenizers

_LOG = logging.getLogger(__name__)
_FILE_SUFFIX = ".json"  # of a model's own tokenizer
_counters: dict[str, TokenCounter] = {}
_making = threading.Lock()


class TokenCounter(Protocol):
    """Counts the tokens of texts, without those that a model's interface puts around them."""

    @property
    def name(self) -> str:
        """What counts: an encoding, a file, or ``estimate of`` what it stands for."""
        ...

    @property
    def exact(self) -> bool:
        """False for an estimate."""
        ...

    def count(self, text: str) -> int:
        """The text's tokens, or what comes nearest."""
        ...

    def upper_bound(self, text: str) -> int:
        """What a budget should take the text for: the count where it is exact, else more, so that at most 1 % of texts
        have more tokens."""
        ...

    def both(self, text: str) -> tuple[int, int]:
        """``count`` and ``upper_bound``, for the price of one."""
        ...


class _ExactCounter:
    exact = True

    def __init__(self, tokenizer: Tokenizer, *, name: str) -> None:
        self._tokenizer = tokenizer
        self.name = name

    def count(self, text: str) -> int:
        return self._tokenizer.count([text])[0] - self._tokenizer.special_tokens

    upper_bound = count

    def both(self, text: str) -> tuple[int, int]:
        count = self.count(text)
        return count, count


class _EstimatingCounter:
    exact = False

    def __init__(self, estimate: Estimate, *, name: str) -> None:
        self._estimate = estimate
        self.name = name

    def count(self, text: str) -> int:
        return self._estimate.both(text)[0]

    def upper_bound(self, text: str) -> int:
        return self._estimate.both(text)[1]

    def both(self, text: str) -> tuple[int, int]:
        return self._estimate.both(text)


def counter_for(tokenizer: str) -> TokenCounter:
    """The counter for a tokenizer's name (``check_tokenizer``), made once a process.

    Where tiktoken's ranks are not at hand it says so once, in the log, and estimates.

    Raises:
        ConfigurationError: there is no tokenizer of this name.
        ModelNotFoundError, ModelDamagedError: the model's own file is not there or cannot be read.
    """
    counter = _counters.get(tokenizer)
    if counter is None:
        with _making:
            counter = _counters.get(tokenizer)
            if counter is None:
                counter = _counters[tokenizer] = _made(tokenizer)
    return counter


def check_tokenizer(tokenizer: str) -> None:
    """Raises ConfigurationError unless the name is one of ``data/tokenizers.toml`` or the path of a tokenizer.json."""
    if tokenizer not in named_tokenizers() and not tokenizer.endswith(_FILE_SUFFIX):
        known = ", ".join(named_tokenizers())
        raise ConfigurationError(
            f"there is no tokenizer {tokenizer!r}", hint=f"give the path of a tokenizer.json, or one of: {known}"
        )


def counts_exactly(tokenizer: str) -> bool:
    """Whether its own file or ranks are at hand; nothing is loaded."""
    named = named_tokenizers().get(tokenizer)
    if named is None:
        return Path(tokenizer).expanduser().is_file()
    return bool(named.encoding) and ranks_file(encodings()[named.encoding]) is not None


def tokens_a_byte(tokenizer: str) -> float | None:
    """Tokens that a byte of text makes at most; None where that is not known without looking."""
    named = named_tokenizers().get(tokenizer)
    return None if named is None else named.byte_factor


def _made(tokenizer: str) -> TokenCounter:
    check_tokenizer(tokenizer)
    named = named_tokenizers().get(tokenizer)
    if named is None:
        file = ModelTokenizer(Path(tokenizer).expanduser(), name=tokenizer)
        counter = _ExactCounter(file, name=tokenizer)
        counter.count("")  # so that a damaged file is told of here, not midway in a prompt
        return counter
    if named.encoding:
        try:
            return _ExactCounter(TiktokenTokenizer(named.encoding), name=named.encoding)
        except ModelNotFoundError as error:
            _LOG.warning("%s: its tokens are estimated (%s)", error.message, error.hint)
    return _estimating(named)


def _estimating(named: NamedTokenizer) -> TokenCounter:
    fitted = fitted_estimates()[named.estimate]
    estimate = Estimate(
        name=named.name,
        weights=fitted.weights,
        ratio=fitted.ratio,
        safety=named.safety,
        byte_factor=named.byte_factor,
    )
    name = "estimate" if named.name == "estimate" else f"estimate of {named.name}"
    return _EstimatingCounter(estimate, name=name)


def _begin_anew(_: object) -> None:
    global _making  # noqa: PLW0603 - in the child of a fork the parent's may be held for ever
    _making = threading.Lock()


across_forks(counter_for, begin_anew=_begin_anew)
