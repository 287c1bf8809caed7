"""Run a module as a child that never outlives its parent: python -m pipeline.demo.leash MODULE ARGS."""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import threading

# From linux/prctl.h: the kernel sends this signal when the parent dies, to a stopped process too.
PR_SET_PDEATHSIG = 1


def main() -> None:
    hold()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def hold() -> None:
    """End this process when its parent ends: by the kernel on Linux, by the end of stdin everywhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_until_the_pipe_closes, args=(sys.stdin.fileno(),), daemon=True).start()


def _until_the_pipe_closes(pipe: int) -> None:
    while os.read(pipe, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
