"""Documents from memory: whether one can be stored as it is, and what in it is suspicious."""

from __future__ import annotations

import json
from dataclasses import replace

from rag_engine.errors import DecodingError, EmptySourceError, ParsingError
from rag_engine.index import document_digest
from rag_engine.ingestion import examined, title_from_id
from rag_engine.types.document import Document


def checked(document: Document) -> tuple[Document, str]:
    """A document that can be stored, with its digest: what is suspicious in it is flagged as in files, and without a
    title it has the words of its id.

    Raises:
        EmptySourceError, DecodingError, ParsingError: it cannot; says why.
    """
    if not document.id or not document.text.strip():
        raise EmptySourceError(f"the document {document.id!r} has no {'text' if document.id else 'id'}")
    if "\0" in document.id + document.title or "\0" in document.text:
        raise DecodingError(
            f"the document {document.id!a} holds a NUL character", hint="decode the text properly, or replace it"
        )
    try:
        document.id.encode()
        json.dumps(dict(document.metadata), allow_nan=False, ensure_ascii=False).encode()
        document = examined(replace(document, title=document.title or title_from_id(document.id)))
        return document, document_digest(document)
    except UnicodeEncodeError as error:
        raise DecodingError(
            f"the document {document.id!a} holds a lone surrogate",
            hint="decode the text properly, or replace such characters",
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ParsingError(
            f"the document {document.id!a} holds metadata that are no JSON: {error}",
            hint="give metadata as text, numbers, truths, lists and mappings",
        ) from error
