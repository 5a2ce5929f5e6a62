"""From bytes to characters: an encoding is declared, proven or refused; nothing is ever replaced or guessed at.

The names of declared encodings are read as browsers read them (WHATWG Encoding Standard, section 4.2).
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rag_engine.errors import DecodingError
from rag_engine.ingestion.loaders.alphabets import could_be_language

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

# The four-byte marks first: UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ESCAPED = (  # seven-bit encodings, which are valid UTF-8 and yet something else, by their escape sequences
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"\x1b\$[@B]|\x1b\$\(D|\x1b\([IJ]"), "iso2022_jp_ext"),
    (re.compile(rb"~\{(?:[\x21-\x7d][\x21-\x7e])+~\}"), "hz"),
)
_BEYOND_DECLARATION = {
    "ascii": ("cp1252",),
    "iso8859-1": ("cp1252",),
    "iso8859-9": ("cp1254",),
    "iso8859-11": ("cp874",),
    "tis-620": ("cp874",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "shift_jis": ("cp932", "shift_jis"),
    "euc_kr": ("euc_kr", "cp949"),
    "big5": ("big5", "big5hkscs"),
}
# Python's own codecs and those of names in the internet, which no text is in: some take time by the square.
_NO_CHARACTER_SETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "charmap"})
# What undeclared files are found to be in; rarer encodings have to be declared.
_SEARCHED = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("iso8859_2", "iso8859_5", "iso8859_7", "iso8859_15", "koi8_r", "koi8_u"),
    *("mac_cyrillic", "mac_roman", "mac_latin2", "cp437", "cp850", "cp852", "cp855", "cp866"),
    *("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "johab"),
)
_MULTIBYTE = frozenset({"cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "johab", "gb2312", "shift_jis", "euc_kr"})
# In these, ordinary letters stand on the very bytes that make up UTF-8's sequences.
_LIKE_UTF8 = _MULTIBYTE | {"cp855", "cp866", "cp874", "big5", "hz", "iso2022_kr"}
_NOT_LATIN = frozenset(
    {"cp1251", "cp1253", "cp1255", "cp1256", "iso8859_5", "iso8859_7", "koi8_r", "koi8_u", "mac_cyrillic"}
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
# In no text; where they, or Apple's sign, appear, the bytes mean something else.
_SECOND_CONTROLS = re.compile("[\x80-\x9f\uf8ff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DECLARED_BY_XML = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
_DECLARED_BY_HTML = re.compile(rb"""<meta[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)

_SAMPLE_BYTES = 1 << 16
# The share of a text's high bytes that may look like UTF-8 by chance, which in Latin text hardly happens.
_LATIN_SHARE = 0.0
_NOT_LATIN_SHARE = 0.05
_DECLARED_SHARE = 0.3
_LIKE_UTF8_SHARE = 0.6
_CHAOS_MARGIN = 0.05
_COHERENCE_MARGIN = 0.1
_LEAST_COHERENCE = 0.3
_LEAST_MULTIBYTE = 32


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The characters of ``data``, without a byte order mark.

    In this order: a byte order mark; UTF-16 or UTF-32 told by where the NULs are; a seven-bit
    encoding told by its escapes; UTF-8; the ``declared`` encoding; detection, which is believed
    only where every likely encoding gives the same characters.

    Raises:
        DecodingError: none of these decodes all bytes, several disagree, or the file mixes encodings.
    """
    encoding, skipped = unicode_encoding(data)
    if encoding:
        try:
            return data[skipped:].decode(encoding)
        except UnicodeDecodeError as error:
            raise DecodingError(
                f"marked as {encoding.upper()}, but byte {skipped + error.start} does not fit: {error.reason}"
            ) from error
    for pattern, escaped in _ESCAPED:
        if pattern.search(data, 0, _SAMPLE_BYTES):
            try:
                return data.decode(escaped)
            except UnicodeDecodeError:
                continue
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if b"\x00" in data:
            raise DecodingError(f"neither UTF-8 (byte {error.start} does not fit) nor another text encoding") from error
    return _declared(data, declared) or _detected(data)


def unicode_encoding(data: bytes) -> tuple[str | None, int]:
    """UTF-8, UTF-16 or UTF-32 where a byte order mark or the NULs say so, and the bytes of the mark; else None."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    sample = data[:_SAMPLE_BYTES]
    if sample.count(0) < 4:
        return None, 0
    for encoding, width, zeros in (
        ("utf-32-le", 4, (2, 3)),
        ("utf-32-be", 4, (0, 1)),
        ("utf-16-le", 2, (1,)),
        ("utf-16-be", 2, (0,)),
    ):
        if len(data) % width == 0 and _plausible(sample[: len(sample) // width * width], encoding, width, zeros):
            return encoding, 0
    return None, 0


def declared_by_xml(data: bytes) -> str | None:
    """The encoding that an XML declaration names (XML 1.0, section 4.3.3)."""
    return _group(_DECLARED_BY_XML.match(data[:1024]))


def declared_by_html(data: bytes) -> str | None:
    """The encoding that a ``meta`` element within the first 1024 bytes names (HTML standard, section 4.2.5.4)."""
    return _group(_DECLARED_BY_HTML.search(data[:1024])) or declared_by_xml(data)


def canonical(text: str) -> str:
    """``text`` as documents hold it: line ends are LF, control characters spaces, lone surrogates U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii() and _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
    return _CONTROL.sub(" ", text)


def _group(match: re.Match[bytes] | None) -> str | None:
    return match[1].decode("ascii", "ignore") if match else None


def _plausible(sample: bytes, encoding: str, width: int, zeros: tuple[int, ...]) -> bool:
    """Whether NULs lie where this encoding puts them, and nowhere that it does not."""
    units = len(sample) // width
    in_place = min(sample[place::width].count(0) for place in zeros)
    rest = sample.replace(b"\x00", b"")
    # Three-letter words with a NUL behind each would pass for Chinese: only text whose other bytes are
    # not all ASCII may have units that are full.
    if in_place < units * (0.9 if rest.isascii() else 0.1):
        return False
    text = codecs.getincrementaldecoder(encoding)("strict")
    try:
        characters = text.decode(sample)
    except UnicodeDecodeError:
        return False
    if _CONTROL.search(characters):
        return False
    unassigned = sum(unicodedata.category(character) == "Cn" for character in set(characters))
    return unassigned * 20 <= len(set(characters))


def _declared(data: bytes, declared: str | None) -> str | None:
    if not declared:
        return None
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):  # unknown, or a name that is none
        return None
    # Neither UTF-8 nor UTF-16, as was found already: such a declaration is wrong.
    if name.startswith("utf") or name in _NO_CHARACTER_SETS:
        return None
    for encoding in _BEYOND_DECLARATION.get(name, (name,)):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        _refuse_mixture(data, _LIKE_UTF8_SHARE if encoding in _LIKE_UTF8 else _DECLARED_SHARE)
        return text
    return None


def _detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    matches = from_bytes(data, cp_isolation=list(_SEARCHED), preemptive_behaviour=False, enable_fallback=False)
    candidates = [match for match in matches if match.encoding in _MULTIBYTE or _is_language(str(match))]
    if not candidates:
        raise DecodingError("the encoding is unknown: no known one reads all of its bytes as text")
    best = min(candidates, key=lambda match: (match.chaos, -match.coherence))
    rivals = [match for match in candidates if _rivals(match, best)]
    if any(str(rival) != str(best) for rival in rivals):
        names = ", ".join(sorted({match.encoding for match in rivals})[:4])
        raise DecodingError(f"the encoding is not certain: {names} read it differently")
    encodings = {name for match in rivals for name in match.could_be_from_charset}
    high_bytes = _total(_HIGH_BYTES.findall(data))
    multibyte = best.encoding in _MULTIBYTE
    if high_bytes < _LEAST_MULTIBYTE if multibyte else best.coherence < _LEAST_COHERENCE:
        raise DecodingError("the encoding is not certain: there is too little text to tell it by")
    if encodings & _LIKE_UTF8:
        _refuse_mixture(data, _LIKE_UTF8_SHARE)
    else:
        _refuse_mixture(data, _NOT_LATIN_SHARE if encodings & _NOT_LATIN else _LATIN_SHARE)
    return str(best)


def _is_language(text: str) -> bool:
    return not _SECOND_CONTROLS.search(text) and could_be_language(text)


def _rivals(match: CharsetMatch, best: CharsetMatch) -> bool:
    return match.chaos <= best.chaos + _CHAOS_MARGIN and match.coherence >= best.coherence - _COHERENCE_MARGIN


def _refuse_mixture(data: bytes, allowed: float) -> None:
    """Refuses bytes of which more than this share are UTF-8: the other encoding would mangle them."""
    sequences = _total(_UTF8_SEQUENCE.findall(data))
    if sequences > allowed * _total(_HIGH_BYTES.findall(data)):
        raise DecodingError("it mixes UTF-8 with another encoding")


def _total(parts: Iterable[bytes]) -> int:
    return sum(map(len, parts))
