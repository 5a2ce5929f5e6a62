"""Calls of tools, put together from what comes of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from rag_engine.llm.providers.openai_reply import Asked
from rag_engine.llm.providers.received import whole_text
from rag_engine.llm.providers.tool_arguments import check_arguments
from rag_engine.types.conversation import ToolCall


@dataclass(slots=True)
class _Begun:
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ToolCalls:
    """Takes fragments in any order of calls. A fragment belongs to the call with its index; where that one has another
    id already, or where there are no indices, a new id begins a new call: servers that send calls whole number them
    all 0, or not at all."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._calls: list[_Begun] = []
        self._by_index: dict[int, _Begun] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragments: object, *, whole: bool = False) -> None:
        """What ``tool_calls`` holds; with ``whole`` each entry is a call of its own.

        Raises:
            BadResponseError: that is not what the interface says.
        """
        if not isinstance(fragments, list):
            raise self._asked.bad("asks for tools in a form that nobody described")
        for fragment in fragments:
            if not isinstance(fragment, dict) or fragment.get("type") not in ("function", "", None):
                raise self._asked.bad("asks for a tool in a form that nobody described")
            call = self._begin(_id(fragment)) if whole else self._call_of(fragment)
            self._write(call, fragment.get("function"))

    def finished(self) -> tuple[ToolCall, ...]:
        """The calls, in order of their beginnings.

        Raises:
            BadResponseError: one has no name or no JSON object of arguments, or two have one id.
        """
        calls = tuple(self._finished(call, place) for place, call in enumerate(self._calls))
        if len({call.id for call in calls}) < len(calls):
            raise self._asked.bad("asks for two tools under one id")
        return calls

    def _call_of(self, fragment: dict[str, Any]) -> _Begun:
        index, given = fragment.get("index"), _id(fragment)
        if index is not None and (type(index) is not int or index < 0):
            raise self._asked.bad("numbers a call of a tool with what is no number")
        if index is None:
            known = next((call for call in self._calls if call.id == given), None) if given else None
            return known or self._begin(given) if given or not self._calls else self._calls[-1]
        known = self._by_index.get(index)
        if known is None or (given and known.id and given != known.id):
            known = self._by_index[index] = self._begin(given)
        elif given:
            known.id = given
        return known

    def _begin(self, given: str) -> _Begun:
        call = _Begun(given)
        self._calls.append(call)
        return call

    def _write(self, call: _Begun, function: object) -> None:
        if function is None:
            return
        if not isinstance(function, dict):
            raise self._asked.bad("asks for a tool in a form that nobody described")
        name, arguments = function.get("name"), function.get("arguments")
        if name:
            if not isinstance(name, str) or call.name not in ("", name):
                raise self._asked.bad("gives one call of a tool two names")
            call.name = name
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif arguments is not None:
            raise self._asked.bad("gives arguments of a tool that are neither a text nor an object")

    def _finished(self, call: _Begun, place: int) -> ToolCall:
        if not call.name:
            raise self._asked.bad("asks for a tool without a name")
        arguments = whole_text("".join(call.arguments), self._asked.target).strip() or "{}"
        check_arguments(arguments, self._asked.target)
        # Servers of one's own leave the id out; results are told together with their calls by it.
        made_up = f"call_{place}_{hashlib.sha256((call.name + arguments).encode()).hexdigest()[:8]}"
        return ToolCall(id=call.id or made_up, name=call.name, arguments=arguments)


def _id(fragment: dict[str, Any]) -> str:
    given = fragment.get("id")
    return given if isinstance(given, str) and given != "null" else ""
