"""Ends the wait for a model from outside: it took too long, or another one was faster."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a wait was ended."""

    SILENCE = "silence"
    DEADLINE = "deadline"
    OVERTAKEN = "overtaken"


class Alarm:
    """Interrupts whichever task waits between ``begin`` and ``end``, as ``asyncio.timeout`` does, but at nobody's fixed
    time, and never while the task does something else: a stream's reader may take its time between two events."""

    __slots__ = ("_cancelling", "_rung", "_task", "reason")

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._rung = False

    def ring(self, reason: Reason) -> None:
        """Ends the wait; the first reason counts. Where nobody waits, ``reason`` tells whoever is about to."""
        if self.reason is None:
            self.reason = reason
            if self._task is not None:
                self._rung = True
                self._task.cancel()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """The task that ``loop`` runs waits from here."""
        task = asyncio.current_task(loop)
        self._task = task
        self._cancelling = 0 if task is None else task.cancelling()

    def end(self) -> bool:
        """It waits no longer. Whether it was this alarm alone that cancelled it: cancelled from further out as well, it
        is to end as such."""
        task, self._task = self._task, None
        if not self._rung or task is None:
            return False
        self._rung = False
        return task.uncancel() <= self._cancelling
