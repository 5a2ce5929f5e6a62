"""Files that tests make themselves."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping


def pdf(
    *pages: str,
    information: str = "",
    trailer: str = "",
    catalogue: str = "",
    page: str = "",
    extra: Mapping[int, str] | None = None,
    encrypt: Callable[[int, bytes], bytes] = lambda _, data: data,
) -> bytes:
    """A PDF with one line of text a page: object 5 is the first page, 7 the second, and so on.

    The other arguments are entries of the dictionaries that they name; ``extra`` are further objects by number.
    """
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalogue} >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for text in pages:
        content = zlib.compress(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode())
        stream = encrypt(len(objects) + 1, content).decode("latin-1")
        objects.append(f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n{stream}\nendstream")
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R {resources} /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R {page} >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    objects.append(f"<< {information} >>")
    body = "%PDF-1.7\n"
    sections = "0 1\n0000000000 65535 f \n"
    for number, written in [*enumerate(objects, 1), *(extra or {}).items()]:
        sections += f"{number} 1\n{len(body):010} 00000 n \n"
        body += f"{number} 0 obj\n{written}\nendobj\n"
    size = max(len(objects), *(extra or {0: ""})) + 1
    end = f"trailer << /Size {size} /Root 1 0 R /Info {len(objects)} 0 R {trailer} >>"
    return f"{body}xref\n{sections}{end}\nstartxref\n{len(body)}\n%%EOF".encode("latin-1")


def encrypted_pdf(text: str, password: str) -> bytes:
    """A PDF that RC4 of 40 bits encrypts under a user's password (ISO 32000-1, algorithms 2, 3 and 4)."""
    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded = (password.encode() + padding)[:32]
    owner = _rc4(hashlib.md5(padding).digest()[:5], padded)
    identifier = bytes(16)
    key = hashlib.md5(padded + owner + (-4).to_bytes(4, "little", signed=True) + identifier).digest()[:5]
    handler = f"/Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <{owner.hex()}> /U <{_rc4(key, padding).hex()}>"
    trailer = f"/Encrypt << {handler} >> /ID [<{identifier.hex()}> <{identifier.hex()}>]"
    return pdf(text, trailer=trailer, encrypt=lambda number, data: _rc4(_object_key(key, number), data))


def _object_key(key: bytes, number: int) -> bytes:
    return hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()[:10]


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    output = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        output.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(output)
