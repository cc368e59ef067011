"""Whole processes with their seconds and peak memory."""

import subprocess
import sys
import time


def run(command, **settings):
    """Exit code, seconds, peak memory in MB, and what was printed."""
    start = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings
    )
    out, err = process.communicate()
    seconds = time.monotonic() - start
    return process.returncode, seconds, out.decode(), err.decode()


def measured(command):
    """The same with the peak memory, which a small process of Python asks the system for."""
    code = (
        "import resource, subprocess, sys; p = subprocess.run(sys.argv[1:]);"
        "k = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss;"
        "print(f'\\n{k // 1024} {p.returncode}', file=sys.stderr)"
    )
    _, seconds, out, err = run([sys.executable, "-c", code, *command])
    err, last = err.rstrip("\n").rsplit("\n", 1)
    memory, status = map(int, last.split())
    return status, seconds, memory, out, err
