"""Starts the emulator, and has it wait longer for a function's log lines.

The emulator answers a call 5 milliseconds after the last log line that it saw. On a busy machine a line that arrives later
is kept until the worker's next call; after the last call it is lost. The pinned version has no setting for that.
"""

from ministack.app import main
from ministack.core.lambda_runtime import Worker

# Seconds: for the first line, without a further line, and in all.
Worker._drain_stderr_bounded.__defaults__ = (0.25, 0.03, 1.0)

if __name__ == "__main__":
    main()
