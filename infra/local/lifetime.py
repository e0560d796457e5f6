"""How long a background process of the local stack lives. Knows nothing of what it serves."""

import os
import signal
import sys
import threading

OPTION = "--until-stdin-closes"


def settle():
    """Detaches from the terminal, or, with the option above, from nothing but standard input.

    With the option the process ends as soon as whoever holds the other end of its standard
    input is gone, however that came about. So an interrupted test run leaves no stack behind.
    """
    # A closed terminal must not take a detached stack with it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if OPTION in sys.argv:
        sys.argv.remove(OPTION)
        threading.Thread(target=_stop_when_stdin_closes, daemon=True).start()


def _stop_when_stdin_closes():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
