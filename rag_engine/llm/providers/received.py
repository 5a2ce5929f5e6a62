"""What a provider sent, taken for nothing before it was checked."""

from __future__ import annotations

import json

from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.types.generation import FinishReason


def bad_response(target: Target, why: str) -> BadResponseError:
    """An error that says what is wrong with the answer, and nothing of what stands in it."""
    return BadResponseError(f"{target.provider} {why}", provider=target.provider, model=target.model)


def incomplete_response(target: Target, why: str) -> IncompleteResponseError:
    """An error for an answer whose end is missing."""
    return IncompleteResponseError(f"{target.provider} {why}", provider=target.provider, model=target.model)


def parsed_object(text: str, target: Target) -> JsonObject:
    """The object that ``text`` is the JSON of.

    Raises:
        BadResponseError: it is none, or one nested so deeply that no honest answer is.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise bad_response(target, "sent what is no JSON") from None
    if type(value) is not dict:
        raise bad_response(target, "sent JSON that is no object")
    return value


def object_in(body: JsonObject, name: str, target: Target) -> JsonObject:
    """The object in the field ``name``.

    Raises:
        BadResponseError: there is none.
    """
    value = body.get(name)
    if type(value) is not dict:
        raise bad_response(target, f"sent no object in {name!r}")
    return value


def objects_in(body: JsonObject, name: str, target: Target) -> list[JsonObject]:
    """The objects in the list ``name``; none where the field is null or absent.

    Raises:
        BadResponseError: it is no list of objects.
    """
    value = body.get(name)
    if value is None:
        return []
    if type(value) is not list or not all(type(entry) is dict for entry in value):
        raise bad_response(target, f"sent no list of objects in {name!r}")
    return value


def text_in(body: JsonObject, name: str, target: Target) -> str:
    """The text in the field ``name``; it can be encoded, which what JSON calls a string need not be.

    Raises:
        BadResponseError: there is none, or it holds half a character.
    """
    value = body.get(name)
    if type(value) is not str:
        raise bad_response(target, f"sent no text in {name!r}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise bad_response(target, f"sent half a character in {name!r}") from None
    return value


def index_in(body: JsonObject, target: Target) -> int:
    """The number in the field ``index``.

    Raises:
        BadResponseError: there is none, or one below zero.
    """
    value = body.get("index")
    if type(value) is not int or value < 0:
        raise bad_response(target, "sent a piece without saying where it belongs")
    return value


def arguments_of(value: object, target: Target) -> str:
    """The JSON text of a tool call's arguments, which came as an object or as text; no text stands for none.

    Raises:
        BadResponseError: they are no object of JSON, or hold a number that JSON has not.
    """
    try:
        if type(value) is str:
            value = json.loads(value) if value.strip() else {}
        if type(value) is dict:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            text.encode()
            return text
    except (ValueError, RecursionError):
        pass
    raise bad_response(target, "sent a tool call whose arguments are no JSON object")


def count_of(value: object, *, absent: int | None = None) -> int | None:
    """A number of tokens, ``absent`` where none is said; None for what cannot be one: below zero, broken, infinite."""
    if value is None:
        return absent
    if type(value) is int:
        return value if value >= 0 else None
    if type(value) is float and value.is_integer() and value >= 0:
        return int(value)
    return None


def settled_reason(reason: FinishReason, *, text: str, calls: int, at_sequence: bool, target: Target) -> FinishReason:
    """Why the model stopped, once it is compared with what it wrote. ``at_sequence`` says that a stop sequence ended
    it: that alone may end an answer before its first character.

    Raises:
        BadResponseError: it asks for tools and names none, or says that it is done and said nothing.
    """
    if reason is FinishReason.TOOL_CALLS and not calls:
        raise bad_response(target, "says that it asks for a tool, and asks for none")
    if reason is FinishReason.STOP:
        if calls:
            return FinishReason.TOOL_CALLS
        if not text and not at_sequence:
            raise bad_response(target, "says that the answer is done, and it is empty")
    return reason
