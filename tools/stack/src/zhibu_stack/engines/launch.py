"""The last step before a child process becomes its program: tie its life to ours, take its own user, then exec.

Run as a script (`python -I -S launch.py <json> <command>…`) rather than as a `preexec_fn`, because Python code between
fork and exec can dead-lock in a process with threads. Only the standard library's cheapest modules are imported.
"""

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Apply what the JSON in the first argument says and become the command that follows."""
    order = json.loads(sys.argv[1])
    command = sys.argv[2:]
    if order["uid"] is not None:
        become_user(order["uid"], order["gid"], keep_reading=order["read_everywhere"])
    # After the change of user: the kernel forgets the death signal when credentials change.
    libc.prctl(PR_SET_PDEATHSIG, order["death_signal"], 0, 0, 0)
    if os.getppid() != order["parent"]:
        os.kill(os.getpid(), signal.SIGKILL)  # The parent died before the line above: nobody would ever stop us.
    os.execvp(command[0], command)  # noqa: S606 - becoming the program is what this script is for.


def become_user(uid: int, gid: int, *, keep_reading: bool) -> None:
    """Drop root for good; keep only the right to walk through closed directories where the caller needs it."""
    os.setgroups([])
    os.setgid(gid)
    if not keep_reading:
        os.setuid(uid)
        return
    # access(2) forgets the capabilities of users other than root unless this is set, and initdb asks it about its binaries.
    libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setuid(uid)
    if not any(keep_capability(number) for number in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)):
        # Containers often lack both; the program will say which directory it could not enter.
        set_capabilities(0)


def keep_capability(number: int) -> bool:
    """Make one capability survive exec; say whether the kernel agreed."""
    return set_capabilities(1 << number) and libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) == 0


def set_capabilities(bits: int) -> bool:
    """Give up every capability but these; say whether the kernel agreed."""
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    return libc.capset(header, data) == 0


if __name__ == "__main__":
    main()
