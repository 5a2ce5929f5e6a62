"""Text of any kind within XML and HTML: it is shown, and never read as markup."""

from __future__ import annotations

import html
import re

# What XML 1.0 (section 2.2) has no way to write, and the C1 controls, which HTML forbids.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def writable(text: str) -> str:
    """The text with every character that a document cannot hold as a visible escape, such as ``\\x1b``."""
    return _UNWRITABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def escaped(text: str) -> str:
    """The text as it stands between tags or within a quoted attribute."""
    return html.escape(writable(text), quote=True)
