"""A key that is used but never shown."""

from __future__ import annotations

from urllib.parse import quote

SHOWN_AS = "[key]"


class Secret:
    """Holds a key for the one place that sends it: neither ``repr`` nor ``str`` nor a pickle gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def removed_from(self, text: str) -> str:
        """``text`` with ``[key]`` wherever the key stands, also as it is written in addresses. Providers quote the key
        that they refuse."""
        if not self._value:
            return text
        return text.replace(self._value, SHOWN_AS).replace(quote(self._value, safe=""), SHOWN_AS)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a key is not written anywhere")
