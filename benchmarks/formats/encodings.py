"""Whether a text is what its bytes say in the encoding that a label names."""

from __future__ import annotations

import html
import re
from collections import Counter

from rag_engine.ingestion.loaders.encoding import canonical

# What each label may mean: bytes labelled with the older name hold the newer one's characters as often as not.
_CODECS = {
    "big5": ("big5", "big5hkscs", "cp950"),
    "gb2312": ("gb18030",),
    "euc-kr": ("cp949",),
    "shift_jis": ("cp932",),
    "euc-jp": ("euc_jp",),
    "tis-620": ("cp874",),
    "maccyrillic": ("mac_cyrillic",),
    "iso-8859-1": ("cp1252",),
    "iso-2022-jp": ("iso2022_jp_ext",),
    "ibm855": ("cp855",),
    "ibm866": ("cp866",),
    "utf-8": ("utf-8-sig",),
}
_LANGUAGE = re.compile(r"-(?:[a-z]{5,})$")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f\xa0]")


def is_as_labelled(text: str, data: bytes, label: str) -> bool:
    """Whether every character of ``text`` beyond ASCII is there as often, at least, in ``data`` as ``label`` reads it.

    Labels are those of the manifest, such as ``encoding=iso-8859-2-czech``. Markup may be gone from the text, and
    character references resolved; a wrong encoding gives other characters, or the same ones in other numbers.
    """
    found = Counter(_BEYOND_ASCII.findall(text))
    return any(found <= _characters(reference) for reference in _read_as(data, label))


def _read_as(data: bytes, label: str) -> list[str]:
    name = label.partition("=")[2].lower()
    name = name if name in _CODECS else _LANGUAGE.sub("", name)
    references = []
    for codec in _CODECS.get(name, (name,)):
        try:
            references.append(canonical(data.decode(codec)).lstrip("\ufeff"))
        except UnicodeDecodeError:
            continue
    return references


def _characters(reference: str) -> Counter[str]:
    """Characters beyond ASCII, those of references too, also of references to the characters of references."""
    once = html.unescape(reference)
    return Counter(_BEYOND_ASCII.findall(reference)) | Counter(_BEYOND_ASCII.findall(html.unescape(once)))
