"""Landlock, by which a Linux process denies itself files: landlock(7), kernel 5.13 and later.

Called by number, since C libraries have no functions for it. Everything is denied that is not allowed here, to this
process and for good; descriptors that are open already stay what they are.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_ASK_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH
_READ_FILE, _READ_DIRECTORY = 1 << 2, 1 << 3
# What each version of the interface can deny, from the first on: rights to files (execute, write, read, remove, make;
# then refer, truncate, and ioctl of devices), to TCP (bind and connect), and to what lies outside (abstract sockets
# and signals).
_FILES = (0x1FFF, 0x3FFF, 0x7FFF, 0x7FFF, 0xFFFF)
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11


def landlock_version(kernel: ctypes.CDLL) -> int:
    """The version of the kernel's Landlock interface; below 1 where it has none."""
    return int(kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION)))


def allow_reading_only(kernel: ctypes.CDLL, places: Iterable[str]) -> bool:
    """Denies every file but for reading ``places``, files or folders with all below; those that are not there are
    passed over. The process must have given up new privileges. Returns whether the kernel does so."""
    version = landlock_version(kernel)
    if version < 1:
        return False
    attributes = struct.pack("=Q", _FILES[min(version, len(_FILES)) - 1])
    if version >= _TCP_SINCE:
        attributes += struct.pack("=Q", _TCP)
    if version >= _SCOPES_SINCE:
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = kernel.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for place in places:
            _allow_reading(kernel, ruleset, place)
        return int(kernel.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))) == 0
    finally:
        os.close(ruleset)


def _allow_reading(kernel: ctypes.CDLL, ruleset: int, place: str) -> None:
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rights = _READ_FILE | _READ_DIRECTORY if folder else _READ_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        kernel.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)
