"""Parses a message and reads what the headers of its parts say, whatever they say.

The standard library's parser takes time by the square of a header's parameters, and lets a name of a character set that
is none raise whatever it raises.
"""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from email.policy import Compat32

_LONGEST_PARAMETERS = 8192  # characters of a header such as Content-Type


class _Policy(Compat32):
    """The library's own, with headers of parameters cut to a length that no mail program writes."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_PARAMETERS] if name.lower().startswith("content-") else value


def parse_message(data: bytes) -> Message:
    """The message in ``data``; whatever mails are sent, it is one."""
    return message_from_bytes(data, policy=_Policy())


def given_name(part: Message) -> str | None:
    """The file name that a part gives itself, None where it gives none."""
    try:
        return part.get_filename()
    except ValueError:
        return ""


def given_charset(part: Message) -> str | None:
    """The character set that a part names, None where it names none."""
    try:
        return part.get_content_charset()
    except ValueError:
        return None
