"""YAML 1.1 as libyaml reads it; flattened as JSON is, to lines ``path.to.key: value``.

Only libyaml's events are taken, which build nothing and know no tags that run code; it is in C, and MIT like PyYAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Any

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.canonical_text import read_text
from rag_engine.ingestion.loaders.json_values import LONGEST_INTEGER, document_of
from rag_engine.ingestion.loaders.plain_text import PlainTextLoader
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from yaml.events import Event

_MAX_NODES = 5_000_000  # aliases counted each time: a bomb of nine lines has 10**9 (CVE-2017-18640 and its kin)
_MAX_DEPTH = 500
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_NO_NUMBERS = frozenset(("inf", "-inf", "nan"))  # words, which YAML writes with a dot before them
_MERGE = "<<"


class YamlLoader:
    """Reads YAML; what cannot be parsed, such as templates of YAML, is read as the text that it is."""

    name = "yaml"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document, or ``name#N`` for each where the file holds several.

        A file that is no YAML becomes plain text with the metadata ``parsed_as``: ``plain_text``.
        """
        text = read_text(data, name=name, max_characters=limits.max_characters)
        try:
            values = _values(text, name)
        except ParsingError:
            for document in PlainTextLoader().load(data, name=name, limits=limits):
                yield replaced(document, metadata={"parsed_as": "plain_text"})
            return
        documents = 0
        for number, value in enumerate(values, 1):
            identifier = name if len(values) == 1 else f"{name}#{number}"
            try:
                yield document_of(value, name=identifier, source=identifier, max_characters=limits.max_characters)
            except EmptySourceError:
                continue
            documents += 1
        if not documents:
            raise EmptySourceError(f"{name} holds no text")


@dataclass(slots=True)
class _Open:
    """A collection that is being read: its value, the key that waits for its value, and its nodes so far."""

    value: Any
    anchor: str | None
    key: str | None = None
    nodes: int = 1


@dataclass(slots=True)
class _Reader:
    """Builds one document's value from events, without recursion."""

    name: str
    value: Any = None
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int] | None] = field(default_factory=dict)  # None: still open

    def take(self, event: Event) -> None:
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            self._note(event.anchor, _scalar(event), 1)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if len(self._open) == _MAX_DEPTH:
                raise ParsingError(f"{self.name} is nested too deeply", hint="flatten it")
            if event.anchor:
                self._anchors[event.anchor] = None
            self._open.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}, event.anchor))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            closed = self._open.pop()
            self._note(closed.anchor, closed.value, closed.nodes)
        elif isinstance(event, yaml.AliasEvent):
            known = self._anchors.get(event.anchor or "")
            if known is None:
                raise ParsingError(f"{self.name} holds an alias of nothing, or of itself")
            self._put(*known)

    def _note(self, anchor: str | None, value: Any, nodes: int) -> None:
        if anchor:
            self._anchors[anchor] = (value, nodes)
        self._put(value, nodes)

    def _put(self, value: Any, nodes: int) -> None:
        if not self._open:
            self.value = value
            return
        parent = self._open[-1]
        parent.nodes += nodes
        if parent.nodes > _MAX_NODES:
            raise SourceTooLargeError(
                f"{self.name} has more than {_MAX_NODES:,} values, aliases counted each time", hint="remove its aliases"
            )
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = _key(value)
        else:
            key, parent.key = parent.key, None
            if key == _MERGE:
                _merge(parent.value, value)
            else:
                parent.value[key] = value


def _values(text: str, name: str) -> list[Any]:
    import yaml

    values = []
    reader = _Reader(name)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                reader = _Reader(name)
            elif isinstance(event, yaml.DocumentEndEvent):
                values.append(reader.value)
            else:
                reader.take(event)
    except (yaml.YAMLError, ValueError) as error:
        raise ParsingError(f"{name} is no YAML: {error}") from error
    return values


def _scalar(event: Any) -> Any:
    """A number or truth value where it is written as JSON would write it, nothing for null, else the words."""
    text: str = event.value
    if not event.implicit[0]:  # quoted, or with a tag
        return text
    if text in _NULL:
        return None
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float) if len(text) <= LONGEST_INTEGER and text not in _NO_NUMBERS else ():
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text:
            return number
    return text


def _key(value: Any) -> str:
    if isinstance(value, list | dict):
        raise ParsingError("a key is a collection")
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _merge(into: dict[str, Any], value: Any) -> None:
    """Adds what a merge key (yaml.org/type/merge.html) brings and the mapping does not say itself."""
    for source in value if isinstance(value, list) else [value]:
        if isinstance(source, dict):
            for key, member in source.items():
                into.setdefault(key, member)
