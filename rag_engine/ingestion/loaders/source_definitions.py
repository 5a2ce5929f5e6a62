"""Which classes and functions a source file defines, read from the syntax trees of tree-sitter's grammars.

The grammars name their nodes much alike, so one table does for all: what defines something, what may hold further
definitions, and what only stands around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_HOLDERS = frozenset(
    (
        *(
            "class_definition",
            "class_declaration",
            "abstract_class_declaration",
            "class_specifier",
            "class",
            "instance",
        ),
        *("struct_specifier", "struct_item", "struct_declaration", "struct_definition", "record_declaration"),
        *("union_specifier", "union_item", "enum_specifier", "enum_item", "enum_declaration", "enum_definition"),
        *("interface_declaration", "annotation_type_declaration", "protocol_declaration", "extension_declaration"),
        *(
            "trait_item",
            "trait_definition",
            "trait_declaration",
            "impl_item",
            "mod_item",
            "module",
            "module_definition",
        ),
        *("namespace_definition", "namespace_declaration", "internal_module", "object_definition"),
        *("object_declaration", "companion_object", "class_interface", "class_implementation", "class_statement"),
        *("type_spec", "data_type", "singleton_class"),
    )
)
_FUNCTIONS = frozenset(
    (
        *("function_definition", "function_declaration", "generator_function_declaration", "function_item"),
        *("function_signature_item", "method_definition", "method_declaration", "method", "singleton_method"),
        *("constructor_declaration", "destructor_declaration", "operator_declaration", "init_declaration"),
        *("subroutine_declaration_statement", "function_statement", "class_method_definition", "macro_definition"),
        *("local_function_statement", "function", "signature", "type_definition", "type_alias_declaration"),
    )
)
_CLAUSES = frozenset({"signature", "function"})  # a Haskell function is its signature and all of its equations
_WRAPPERS = frozenset(
    ("decorated_definition", "export_statement", "template_declaration", "ambient_declaration", "expression_statement")
) | frozenset(("type_declaration", "lexical_declaration", "variable_declaration", "variable_declarator"))
_ASSIGNED = frozenset({"arrow_function", "function_expression", "function", "generator_function", "class"})
_TRANSPARENT = frozenset(
    (
        *("block", "class_body", "interface_body", "enum_body", "enum_body_declarations", "declaration_list"),
        *("field_declaration_list", "template_body", "body_statement", "statement_block", "protocol_body"),
        *("enum_class_body", "declarations", "class_declarations", "instance_declarations", "statement_list"),
        *("implementation_definition", "linkage_specification", "ERROR", "type_declaration"),
        *("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "export_statement", "ambient_declaration"),
    )
)
_KEYWORDS = frozenset(
    ("class", "struct", "union", "enum", "interface", "trait", "impl", "module", "namespace", "object", "record")
) | frozenset(("protocol", "extension", "package", "instance", "data", "newtype", "type"))
_KEYWORD_OF = {"mod": "module", "@interface": "class", "@implementation": "class", "typedef": "type"}
_ATTACHED = ("comment", "attribute", "haddock", "annotation", "decorator", "pragma")  # parts of types of nodes
_NAMES = ("identifier", "constant", "name", "word", "bareword")
_IDENTIFIER = re.compile(r"\w+")
_DEEPEST = 9
_DEEPEST_AROUND = 64
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Definition:
    """What is defined at bytes ``start`` to ``end``, with the comments right above it; ``level`` counts from 1.

    ``title`` is such as ``class Parser`` or ``method parse``; the name itself ends at the byte ``name_end``.
    """

    start: int
    end: int
    level: int
    title: str
    name_end: int
    clause: bool = False


def find_definitions(root: Node) -> list[Definition]:
    """The definitions of a file, each before those within it; functions within functions are part of them."""
    found: list[Definition] = []
    for definition in _within(root, 1, 0):
        last = found[-1] if found else None
        if (
            last
            and last.clause
            and definition.clause
            and (last.title, last.level) == (definition.title, definition.level)
        ):
            found[-1] = replace(last, end=definition.end)
        else:
            found.append(definition)
    return found


def _within(node: Node, level: int, around: int) -> Iterator[Definition]:
    children = node.named_children
    for number, child in enumerate(children):
        defining = _defining(child)
        if defining is None:
            if child.type in _TRANSPARENT and around < _DEEPEST_AROUND:
                yield from _within(child, level, around + 1)
            continue
        name = _name(defining)
        title = f"{_kind(defining, level)} {_called(defining, name)}".strip()
        start = _start(children, number)
        name_end = name.end_byte if name else child.start_byte
        yield Definition(start, child.end_byte, level, title, name_end, defining.type in _CLAUSES)
        if defining.type in _HOLDERS and level < _DEEPEST:
            yield from _within(defining, level + 1, 0)


def _defining(node: Node) -> Node | None:
    """The definition that a node is, or is wrapped around."""
    if node.type in _HOLDERS | _FUNCTIONS:
        has_body = not node.type.endswith("_specifier") or node.child_by_field_name("body") is not None
        return node if has_body else None
    if node.type not in _WRAPPERS:
        return None
    inner = [child for child in node.named_children if not _is_attached(child)]
    if node.type == "variable_declarator" or (inner and inner[0].type == "assignment_expression"):
        assignment = node if node.type == "variable_declarator" else inner[0]
        value = assignment.child_by_field_name("value") or assignment.child_by_field_name("right")
        return assignment if value is not None and value.type in _ASSIGNED else None
    if node.type in ("lexical_declaration", "variable_declaration", "type_declaration") and len(inner) != 1:
        return None
    return next((found for child in inner if (found := _defining(child)) is not None), None)


def _start(siblings: Sequence[Node], number: int) -> int:
    """Where a definition begins, comments and attributes right above it included."""
    first = siblings[number]
    while number and _is_attached(siblings[number - 1]):
        above = siblings[number - 1]
        if first.start_point.row - above.end_point.row > 1 or _begins_behind(above, siblings, number - 1):
            break
        number, first = number - 1, above
    return first.start_byte


def _begins_behind(node: Node, siblings: Sequence[Node], number: int) -> bool:
    """Whether a comment stands behind other code on its line."""
    return (
        number > 0
        and siblings[number - 1].end_point.row == node.start_point.row
        and (siblings[number - 1].end_point.column > 0)
    )


def _is_attached(node: Node) -> bool:
    return any(part in node.type for part in _ATTACHED)


def _kind(node: Node, level: int) -> str:
    if node.type in _FUNCTIONS or node.type in ("variable_declarator", "assignment_expression"):
        if "type" in node.type:
            return "type"
        if node.type.startswith("macro"):
            return "macro"
        return "method" if level > 1 or node.child_by_field_name("receiver") is not None else "function"
    for child in node.children:
        if not child.is_named and (child.type in _KEYWORDS or child.type in _KEYWORD_OF):
            return _KEYWORD_OF.get(child.type, child.type)
    return "type" if node.type in ("type_spec", "data_type") else "class"


def _called(node: Node, name: Node | None) -> str:
    """A definition's name, with its type where it stands outside of it: ``Queue.push``, ``Display for Queue``."""
    called = _text(name)
    trait, receiver = node.child_by_field_name("trait"), node.child_by_field_name("receiver")
    if trait is not None:
        called = f"{_text(trait)} for {called}"
    elif receiver is not None:
        words = _IDENTIFIER.findall(_text(receiver))
        called = f"{words[-1]}.{called}" if words else called
    return called[:_LONGEST_NAME]


def _name(node: Node) -> Node | None:
    """The node that says how a definition is called."""
    if node.type == "impl_item":
        return node.child_by_field_name("type")
    for field in ("name", "left"):
        named = node.child_by_field_name(field)
        if named is not None and named.type != "function":
            return named
    declarator = node.child_by_field_name("declarator")
    while declarator is not None:
        inner = declarator.child_by_field_name("declarator")
        if inner is None and declarator.type in ("reference_declarator", "parenthesized_declarator"):
            inner = declarator.named_children[-1] if declarator.named_children else None
        if inner is None:
            return declarator
        declarator = inner
    level = [node]
    for _ in range(3):  # its name is not far below
        level = [child for parent in level for child in parent.named_children[:8]]
        found = next((child for child in level if child.type.endswith(_NAMES)), None)
        if found is not None:
            return found
    return None


def _text(node: Node | None) -> str:
    return " ".join((node.text or b"").decode("utf-8", "replace").split()) if node is not None else ""
