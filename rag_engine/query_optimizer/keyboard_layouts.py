"""Words typed with the wrong keyboard layout chosen: ``ghbdtn`` for ``привет``, ``руддщ`` for ``hello``."""

from __future__ import annotations

_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_CYRILLIC = {ord(latin): cyrillic for latin, cyrillic in zip(_LATIN, _CYRILLIC, strict=True)}
_TO_LATIN = {ord(cyrillic): latin for latin, cyrillic in zip(_LATIN, _CYRILLIC, strict=True)}


def other_layout(typed: str) -> str | None:
    """What the same keys give on the other layout, in lower case; None where that is no word."""
    lowered = typed.lower()
    cyrillic = any("а" <= letter <= "ё" for letter in lowered)
    other = lowered.translate(_TO_LATIN if cyrillic else _TO_CYRILLIC)
    return other if other != lowered and other.isalpha() and (cyrillic or not other.isascii()) else None
