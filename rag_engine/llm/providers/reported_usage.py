"""Numbers of tokens, as providers report them: where one cannot be, none is believed and all are to be estimated."""

from __future__ import annotations

from rag_engine.types.generation import Usage, UsageSource

# No call reads or writes as many: a larger number is none, and would be one of money too.
MOST = 10**12


def count_of(value: object, *, absent: int | None = None, floats: bool = False) -> int | None:
    """A number of tokens, ``absent`` where none is said; None for what cannot be one: below zero, above ``MOST``,
    broken, infinite, a truth value. With ``floats`` a whole number may be written as 7.0."""
    if value is None:
        return absent
    if floats and type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MOST else None


def sum_of(*counts: int | None) -> int | None:
    """All together; None where one is."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def reported_usage(
    read: int | None,
    written: int | None,
    *,
    cache_read: int | None = 0,
    cache_write: int | None = 0,
    thought: int | None = 0,
) -> Usage:
    """The usage of these numbers, of which those that the cache held or took in are among ``read``, and those of
    ``thought`` among ``written``; none, to be estimated, where one is None or a part exceeds its whole."""
    if read is None or written is None or cache_read is None or cache_write is None or thought is None:
        return NO_NUMBERS
    if cache_read + cache_write > read or thought > written:
        return NO_NUMBERS
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        reasoning_tokens=thought,
    )


NO_NUMBERS = Usage(source=UsageSource.ESTIMATED)
