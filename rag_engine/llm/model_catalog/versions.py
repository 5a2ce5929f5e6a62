"""Names of versions: what of a model's name tells one version of it from another."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What providers hang behind a model's name: -2026-05-01, -20260501, @20260501, -2512, -001, -latest, :latest and
# Ollama's other tags, -preview and -preview-05-20, -exp.
_VERSION = re.compile(
    r"(?:@[\w.-]+|:[\w.-]+|-\d{4}-\d{2}-\d{2}|-\d{2}-\d{4}|-\d{8}|-\d{6}|-\d{4}|-\d{3}|-latest|-(?:preview|exp)(?:-\d{2}-\d{2}|-\d{2}-\d{4})?)$"
)


def families(name: str) -> Iterator[str]:
    """What a model's name is without its version, the longest first: ``gpt-5`` for ``gpt-5-2025-08-07``."""
    while (shorter := _VERSION.sub("", name)) != name and shorter:
        yield shorter
        name = shorter
