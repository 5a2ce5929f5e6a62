"""The one XML parser of all loaders: lxml's, which follows nothing and refuses what grows without bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lxml import etree


def make_xml_parser(*, resolve_entities: bool | Literal["internal"], encoding: str | None = None) -> etree.XMLParser:
    """A parser without a network, without DTDs and within libxml2's limits; comments and instructions are dropped.

    ``resolve_entities`` says which entities are replaced, never external ones; ``encoding`` overrides what the document
    declares.
    """
    from lxml import etree

    return etree.XMLParser(
        resolve_entities=resolve_entities,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding=encoding,
    )
