"""Runs the emulator for one parent process and never outlives it.

The parent holds the other end of standard input and never writes to it. Whatever ends the parent (stop(), exit, a
signal, kill -9) closes that pipe, which is the one sign to end the emulator, the Lambda workers it started and the
private folder that all of them use as their temporary directory. This works alike on Linux and macOS.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time


def main() -> int:
    directory = tempfile.mkdtemp(prefix="payment-ledger-aws-")
    emulator = subprocess.Popen(
        [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "emulator_main.py")],
        cwd=directory,
        env=dict(os.environ, TMPDIR=directory, HOME=directory),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # standard output belongs to the one line that the parent reads
        start_new_session=True,  # its own process group, which holds its Lambda workers too
    )
    try:
        return supervise(emulator, directory)
    finally:
        kill_group(emulator.pid)
        emulator.wait()
        remove(directory)


def supervise(emulator: subprocess.Popen, directory: str) -> int:
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        signal.signal(getattr(signal, name), lambda *_: kill_group(emulator.pid))
    threading.Thread(target=end_with_parent, args=(emulator.pid,), daemon=True).start()
    print(json.dumps({"emulatorPid": emulator.pid, "directory": directory}), flush=True)
    code = emulator.wait()
    return max(code, 0)


def end_with_parent(group: int) -> None:
    sys.stdin.buffer.read()
    kill_group(group)


def kill_group(group: int) -> None:
    """Nothing is kept, so nothing needs an orderly end: SIGKILL leaves no worker that could outlive the emulator."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def remove(directory: str) -> None:
    """A worker that was just killed may have written a last file between listing and removing."""
    for _ in range(20):
        shutil.rmtree(directory, ignore_errors=True)
        if not os.path.exists(directory):
            return
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
