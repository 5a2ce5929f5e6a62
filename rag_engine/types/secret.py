"""A key that is used but never shown."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

SHOWN_AS = "[key]"
# So many characters of a key, and all of a shorter one, are the key: what quotes it may cut it.
_TELLING = 16


class Secret:
    """Holds a key for the one place that sends it: neither ``repr`` nor ``str`` nor a pickle gives it away."""

    __slots__ = ("_forms", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._forms: dict[str, tuple[str, ...]] = {}  # by their beginnings; made when first wanted

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def removed_from(self, text: str) -> str:
        """``text`` with ``[key]`` wherever the key stands, or its first 16 characters or more; also as it is written in
        addresses, and in base64, by itself or within a longer text. Providers quote the key that they refuse."""
        if not self._value:
            return text
        if not self._forms:
            self._forms = _forms_of(self._value)
        for beginning, forms in self._forms.items():
            if beginning in text:
                text = _without(beginning, forms, text)
        return text

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


def _forms_of(value: str) -> dict[str, tuple[str, ...]]:
    """How a key may be written. Several may begin alike."""
    data = value.encode("utf-8", "replace")
    forms = [value, quote(data, safe="")]
    for encode in (b64encode, urlsafe_b64encode):
        # What stands before the key shifts it by no, one or two bytes; the characters that hold other bits are left.
        for shift in range(3):
            text = encode(b"\0" * shift + data).decode("ascii")
            forms.append(text[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6])
    found: dict[str, tuple[str, ...]] = {}
    for form in dict.fromkeys(form for form in forms if form == value or len(form) >= _TELLING):
        beginning = form[:_TELLING]
        found[beginning] = (*found.get(beginning, ()), form)
    return found


def _without(beginning: str, forms: tuple[str, ...], text: str) -> str:
    kept, place = [], 0
    while (start := text.find(beginning, place)) >= 0:
        kept.append(text[place:start])
        place = start + max(_alike(form, text[start : start + len(form)]) for form in forms)
    return SHOWN_AS.join([*kept, text[place:]])


def _alike(form: str, text: str) -> int:
    """How many characters both begin with."""
    return next((place for place, (one, other) in enumerate(zip(form, text, strict=False)) if one != other), len(text))
