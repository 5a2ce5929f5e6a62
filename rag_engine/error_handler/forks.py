"""What is done around a fork: a child has its parent's memory, but of its threads only the one that forked.

A lock that another thread held at that moment would never be free again in the child, a thread that it counts on is not
there, and what was under way in the parent never ends in it. Who is told of here begins anew in each child. A child
that was forked by other means than Python's is not seen.

SQLite knows by file, for the whole process, which locks it holds; a child that copied this would open the file anew and
take locks for held that are its parent's. So files are closed before the fork, and opened again when next used.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

# Longer than anybody holds such a lock; it is not waited for without end, as who forks may be within it.
_LONGEST_WAIT = 10.0
_Owner = TypeVar("_Owner")


class _Steps(NamedTuple):
    begin_anew: Callable[[Any], None]
    locks: Callable[[Any], Sequence[threading.Lock]] | None
    close: Callable[[Any], None] | None


_owners: WeakKeyDictionary[Any, _Steps] = WeakKeyDictionary()
# One fork at a time; who forks within its own preparation is let through.
_forking = threading.RLock()
_held: list[threading.Lock] = []


def across_forks(
    owner: _Owner,
    *,
    begin_anew: Callable[[_Owner], None],
    locks: Callable[[_Owner], Sequence[threading.Lock]] | None = None,
    close: Callable[[_Owner], None] | None = None,
) -> None:
    """In each forked child, first of all, ``begin_anew(owner)`` is called, which makes its locks new. Before the fork,
    with all of ``locks(owner)`` held in this order, ``close(owner)``; they are held until the child is there.

    The functions are methods of its class, so that the owner is not kept by them. None of them raises.
    """
    _owners[owner] = _Steps(begin_anew, locks, close)


def _before() -> None:
    _forking.acquire()
    for owner, steps in list(_owners.items()):
        if steps.locks is None:
            continue
        locks = steps.locks(owner)
        held = [lock for lock in locks if lock.acquire(timeout=_LONGEST_WAIT)]
        _held.extend(held)
        if steps.close is not None and len(held) == len(locks):
            steps.close(owner)


def _after_in_parent() -> None:
    while _held:
        _held.pop().release()
    _forking.release()


def _after_in_child() -> None:
    global _forking  # noqa: PLW0603 - of the parent
    _forking = threading.RLock()
    _held.clear()
    for owner, steps in list(_owners.items()):
        steps.begin_anew(owner)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
