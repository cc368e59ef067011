"""The command: `python -m pullback train iris.csv --target species`."""

import signal
import sys

from . import _engine


def main():
    """Run the command with the arguments of the process; returns its exit status."""
    # The command catches interrupts itself, to keep what training has come to.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    called = [sys.executable, "-m", "pullback"]
    return _engine.main(called, ["pullback", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
