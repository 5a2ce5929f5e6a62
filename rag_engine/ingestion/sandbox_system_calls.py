"""A filter of system calls, by which a Linux process denies itself what no parser needs: seccomp(2), in BPF.

Denied are other programs and processes, the network, changing anything on disk, and the kernel's own workings: with
EPERM, so that a library that asks goes on without. Threads, memory and reading are not looked at.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_SET_FILTER, _MODE_FILTER = 22, 2  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
_X32 = 0x40000000  # numbers from here on are the x86's other set of calls
_THREAD = 0x10000  # CLONE_THREAD
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data

# AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64, and which column of the table is theirs.
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
# Numbers on x86-64 and on ARM, which has none of the older calls.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "ptrace": (101, 117),
    "kill": (62, 129), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "connect": (42, 203), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "creat": (85, None), "truncate": (76, 45), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None),
    "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "memfd_create": (319, 279), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsmount": (432, 432), "mount_setattr": (442, 442), "bpf": (321, 280), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "acct": (163, 89), "quotactl": (179, 60), "settimeofday": (164, 170), "sethostname": (170, 161),
    "setdomainname": (171, 162), "personality": (135, 92), "setrlimit": (160, 164),
}  # fmt: skip
# Their arguments lie in memory, where a filter cannot look: callers fall back to the older calls.
_UNKNOWN: dict[str, tuple[int | None, int | None]] = {"clone3": (435, 435), "openat2": (437, 437)}
# Denied by an argument: its number, and the bits of which any (or, for a thread, none) has it denied.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ANY_SET = 0xFFFFFFFF
_BY_ARGUMENT: dict[str, tuple[tuple[int | None, int | None], int, int]] = {
    "open": ((2, None), 1, _WRITING),
    "openat": ((257, 56), 2, _WRITING),
    "prlimit64": ((302, 261), 2, _ANY_SET),  # a new limit
}
_CLONE = (56, 220)


def filter_system_calls(kernel: ctypes.CDLL) -> bool:
    """Sets the filter for this process, which must have given up new privileges, and all it starts, for good.

    Returns whether the kernel does so.
    """
    known = _ARCHITECTURES.get(os.uname().machine)
    if known is None or sys.maxsize < 1 << 32:
        return False
    program = _program(*known)
    instructions = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    return int(kernel.prctl(_SET_FILTER, ctypes.c_ulong(_MODE_FILTER), described)) == 0


def _program(architecture: int, column: int) -> bytes:
    """The filter. Each test is followed by the answer that it leads to, so that every jump is short."""
    denied, unknown = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, denied)]
    lines += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, denied)]
    for numbers, argument, bits in _BY_ARGUMENT.values():
        number = numbers[column]
        if number is not None:
            tests = [(_LOAD, 0, 0, _low_half(argument)), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, denied)]
            if bits == _ANY_SET:
                tests += [(_LOAD, 0, 0, _low_half(argument) + 4), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, denied)]
            lines += [(_EQUAL, 0, len(tests) + 1, number), *tests, (_RETURN, 0, 0, _ALLOW)]
    lines += [(_EQUAL, 0, 4, _CLONE[column]), (_LOAD, 0, 0, _low_half(0)), (_ANY_BIT, 1, 0, _THREAD)]
    lines += [(_RETURN, 0, 0, denied), (_RETURN, 0, 0, _ALLOW)]
    for answer, table in ((denied, _DENIED), (unknown, _UNKNOWN)):
        for both in table.values():
            number = both[column]
            if number is not None:
                lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _low_half(argument: int) -> int:
    """Where the lower 32 bits of a call's argument lie in struct seccomp_data, on these little-endian machines."""
    return 16 + 8 * argument
