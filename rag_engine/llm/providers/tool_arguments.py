"""The arguments of tool calls: JSON objects, on their way here and back."""

from __future__ import annotations

import json
from typing import NoReturn

from rag_engine.errors import BadResponseError
from rag_engine.llm.providers.dialect import JsonObject, Target
from rag_engine.llm.providers.received import bad_response, whole_text
from rag_engine.llm.providers.unsendable import invalid
from rag_engine.types.conversation import ToolCall

# A call that a provider gave no id gets one here, so that its result can be told from others'; it is not sent back.
OWN_ID = "call-without-id-"


def arguments_of(value: object, target: Target) -> str:
    """The JSON text of arguments that came as an object or as text; blank text stands for none.

    Raises:
        BadResponseError: as ``arguments_of_object`` and ``check_arguments``.
    """
    if type(value) is str:
        value = check_arguments(value, target) if value.strip() else {}
    return arguments_of_object(value, target)


def arguments_of_object(value: object, target: Target) -> str:
    """The JSON text of arguments that came as an object; null stands for none.

    Raises:
        BadResponseError: they are no object, or hold what JSON has not, such as NaN or half a character.
    """
    if value is None:
        value = {}
    if type(value) is not dict:
        raise _no_arguments(target)
    try:
        return whole_text(json.dumps(value, ensure_ascii=False, allow_nan=False), target)
    except (ValueError, RecursionError):
        raise _no_arguments(target) from None


def check_arguments(text: str, target: Target) -> JsonObject:
    """The object that arguments which came as text are the JSON of.

    Raises:
        BadResponseError: they are none, or hold what JSON has not, such as NaN.
    """
    value = _object(text)
    if value is None:
        raise _no_arguments(target)
    return value


def arguments_to_send(call: ToolCall, target: Target) -> JsonObject:
    """A tool call's arguments, to be sent as an object.

    Raises:
        InvalidRequestError: they are none.
    """
    value = _object(call.arguments) if call.arguments.strip() else {}
    if value is None:
        raise invalid(
            target,
            f"the arguments of the call of {call.name!r} in the conversation are no JSON object",
            "give a call back as it came",
        )
    return value


def _object(text: str) -> JsonObject | None:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if type(value) is dict else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _no_arguments(target: Target) -> BadResponseError:
    return bad_response(target, "asks for a tool with arguments that are no JSON object")
