"""What every test may count on, wherever the suite was started from."""

import signal


def pytest_configure() -> None:
    """Give signals back their meaning, for here and for the programs that tests start.

    A shell starts what it runs in the background with SIGINT ignored (POSIX 2.11), nohup with SIGHUP, and
    programs inherit that.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
