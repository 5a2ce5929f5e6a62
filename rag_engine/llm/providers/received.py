"""What a provider sent, taken for nothing before it was checked."""

from __future__ import annotations

import json

from rag_engine.error_handler import Phase
from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.types.document import JsonValue

_decoded = json.JSONDecoder().raw_decode


def bad_response(target: Target, why: str, *, phase: Phase = Phase.VALIDATE) -> BadResponseError:
    """An error that says what is wrong with the answer, and nothing of what stands in it: that may be anything. ``why``
    goes on behind the model's name."""
    return BadResponseError(
        f"{target.provider}/{target.model} {why}", provider=target.provider, model=target.model, phase=phase
    )


def incomplete_response(target: Target, why: str) -> IncompleteResponseError:
    """An error for an answer whose end is missing."""
    return IncompleteResponseError(
        f"{target.provider}/{target.model} {why}", provider=target.provider, model=target.model, phase=Phase.VALIDATE
    )


def parsed(text: str, target: Target) -> JsonValue:
    """What ``text`` is the JSON of.

    Raises:
        BadResponseError: it is none, or is nested so deeply that no honest answer is.
    """
    value: JsonValue
    try:
        value, end = _decoded(text)
        if end == len(text):  # nothing around it, as nearly every piece of a stream has it
            return value
    except (ValueError, RecursionError):
        pass
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise bad_response(target, "sent what is no JSON", phase=Phase.PARSE) from None
    return value


def parsed_object(text: str, target: Target) -> JsonObject:
    """The object that ``text`` is the JSON of.

    Raises:
        BadResponseError: as ``parsed``, or it is no object.
    """
    value = parsed(text, target)
    if type(value) is not dict:
        raise bad_response(target, "sent JSON that is no object", phase=Phase.PARSE)
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
    """The text in the field ``name``, as ``whole_text`` takes it.

    Raises:
        BadResponseError: there is none, or it holds half a character.
    """
    value = body.get(name)
    if type(value) is not str:
        raise bad_response(target, f"sent no text in {name!r}")
    return value if value.isascii() else whole_text(value, target)


def whole_text(value: object, target: Target) -> str:
    """A text that can be encoded, which what JSON calls a string need not be. Two halves of one character that stand
    side by side, as where two pieces of a stream were joined, are made one.

    Raises:
        BadResponseError: it is no text, or holds half a character, which nothing could print or store.
    """
    if type(value) is not str:
        raise bad_response(target, "sent a text that is none")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        try:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise bad_response(target, "sent half a character") from None
    return value


def text_or_empty(value: object) -> str:
    """A text that only informs; empty where it is none."""
    return value if type(value) is str else ""


def index_in(body: JsonObject, target: Target) -> int:
    """The number in the field ``index``.

    Raises:
        BadResponseError: there is none, or one below zero.
    """
    value = body.get("index")
    if type(value) is not int or value < 0:
        raise bad_response(target, "sent a piece without saying where it belongs")
    return value
