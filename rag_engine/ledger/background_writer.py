"""The thread in which a ledger writes, for as long as there is something to write.

It takes at once what gathers in some hundredths of a second: a transaction a row would cost every call more of the
interpreter's lock than the call itself. The process does not end before it has written; it is not one that would keep
the process from ending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

# So long rows are let gather, unless somebody waits for them.
GATHER_SECONDS = 0.03
# After so many rounds in which nothing came, about a second, the thread ends: the next row starts another.
_IDLE_ROUNDS = 33
# A file that is to be left alone is asked about so often, as the process may end meanwhile.
_LOOK_SECONDS = 0.1


class BackgroundWriter:
    """Calls ``write`` from one thread at a time, soon after it was woken. From any thread."""

    def __init__(self, write: Callable[[], float | None], *, name: str) -> None:
        """``write`` writes what is waiting: it gives None where nothing was, or the seconds for which the file is to be
        left alone, 0 where all is well."""
        self._write = write
        self._name = name
        self.begin_anew()

    def begin_anew(self) -> None:
        """As it was made: for the child of a fork, which has no such thread."""
        self._starting = threading.Lock()
        self._writing = threading.Lock()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def wake(self) -> None:
        """Something is waiting. Takes less than a microsecond, unless nothing was for a second."""
        if self._thread is not None:
            return
        # The process ends: a thread that began now might not come to its end.
        if not threading.main_thread().is_alive():
            self._round()
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=False)
                self._thread.start()

    def hurry(self) -> None:
        """Somebody waits: what is waiting is written now."""
        self._hurry.set()

    def stop(self) -> None:
        """Writes what is waiting, as far as the file can be written now, and ends the thread."""
        with self._starting:
            thread, self._stopping = self._thread, True
        self._hurry.set()
        if thread is not None:
            thread.join()
        self._stopping = False

    def _run(self) -> None:
        pause, idle = GATHER_SECONDS, 0
        try:
            while idle < _IDLE_ROUNDS:
                self._hurry.wait(pause)
                self._hurry.clear()
                ending = self._stopping or not threading.main_thread().is_alive()
                left_alone = self._round()
                idle = idle + 1 if left_alone is None else 0
                if ending and left_alone != 0.0:
                    break
                pause = 0.0 if ending else max(GATHER_SECONDS, min(left_alone or 0.0, _LOOK_SECONDS))
        finally:
            self._thread = None
        self._round()  # what came before it could be seen that nobody writes any more

    def _round(self) -> float | None:
        with self._writing:
            return self._write()
