"""Forms of arguments that several benchmarks take."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence


def names_among(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Reads names with commas between, each of them one that is known."""

    def split(text: str) -> list[str]:
        for name in text.split(","):
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name}; known are {', '.join(known)}")
        return text.split(",")

    return split
