"""Mailboxes in the mbox form (RFC 4155): mails one after the other, each behind a line ``From ``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.containers import Allowance, Container, Member

_BEGINNING = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]*\r?\n")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)  # as writers of mbox hide such lines within a mail


class MailboxLoader(Container):
    """Reads the mails of a mailbox, in order."""

    name = "mailbox"

    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Member]:  # noqa: ARG002
        """See ``Container``."""
        beginning = _BEGINNING.match(data)
        if beginning is None:
            raise ParsingError(f"{name} is no mailbox: it does not begin with a line 'From '")
        number = 0
        while beginning is not None:
            number += 1
            following = _BEGINNING.search(data, beginning.end())
            end = following.start() if following else len(data)
            yield Member(f"{number}.eml", end - beginning.end(), partial(_mail, data, beginning.end(), end))
            beginning = following


def _mail(data: bytes, start: int, end: int) -> bytes:
    return _QUOTED.sub(rb"\1", data[start:end])
