"""Values of a provider's reply, taken only where they are what its interface says they are."""

from __future__ import annotations

import json

from rag_engine.errors import BadResponseError, InvalidRequestError
from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.types.conversation import ToolCall
from rag_engine.types.document import JsonValue

# A call that a provider gave no id gets one here, so that its result can be told from others'; it is not sent back.
OWN_ID = "call-without-id-"


def bad_response(target: Target, why: str) -> BadResponseError:
    """The error of a reply that is not what the interface says; ``why`` goes on after the provider's name."""
    return BadResponseError(f"{target.provider} {why}", provider=target.provider, model=target.model)


def parsed(text: str, target: Target) -> JsonValue:
    """One JSON text.

    Raises:
        BadResponseError: it is none, or nested beyond all measure.
    """
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        raise bad_response(target, "sent what is no JSON") from None
    return value


def whole_text(value: object, target: Target) -> str:
    """A text whose characters are all whole.

    Raises:
        BadResponseError: it is no text, or holds half of a surrogate pair, which nothing could print or store.
    """
    if not isinstance(value, str):
        raise bad_response(target, "sent text that is none")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise bad_response(target, "sent half a character") from None
    return value


def count_of(value: object) -> int | None:
    """A number of tokens; None for what is none, such as -1, 1.5, NaN or a truth value."""
    return value if type(value) is int and value >= 0 else None


def arguments_text(value: object, target: Target) -> str:
    """The JSON text of a tool call's arguments, which came as an object.

    Raises:
        BadResponseError: they are no object, or hold what JSON has not, such as NaN.
    """
    if not isinstance(value, dict):
        raise bad_response(target, "asks for a tool with arguments that are no object")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise bad_response(target, "asks for a tool with arguments that are no JSON") from None
    return whole_text(text, target)


def arguments_object(call: ToolCall, target: Target) -> JsonObject:
    """A tool call's arguments, to be sent as an object.

    Raises:
        InvalidRequestError: they are none.
    """
    try:
        value = json.loads(call.arguments or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidRequestError(
            f"the arguments of the call of {call.name!r} in the conversation are no JSON object",
            hint="give a call back as it came",
            provider=target.provider,
            model=target.model,
        )
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
