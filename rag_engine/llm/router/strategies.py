"""The orders in which a route asks its fit deployments."""

from __future__ import annotations

from typing import Protocol


class Strategy(Protocol):
    """Ranks fit deployments."""
