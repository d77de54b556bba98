"""Waiting for what comes, and comparing it with what is expected."""

import queue
import time

PATIENCE = 20
"""How long to wait for one thing, in seconds."""


class Queue(queue.Queue):
    """A queue that is waited on, for some time."""

    def next(self):
        """The next value, now or later."""
        try:
            return self.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError(f'nothing came within {PATIENCE} s') from None

    def rest(self):
        """Everything that has come and that nobody has looked at."""
        values = []
        while not self.empty():
            values.append(self.get_nowait())
        return values


def eventually(condition):
    """Asks again and again until it is so: for what the service does after it has answered."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f'not so within {PATIENCE} s')
        time.sleep(0.01)


def equal(actual, expected):
    """They are the same, or the operation does not work."""
    if actual != expected:
        raise AssertionError(f'{actual!r} instead of {expected!r}')


def raises(call, *, status=None, words=''):
    """It fails as it must: with an HTTP status, or with these words."""
    try:
        call()
    except Exception as error:
        found = getattr(error, 'status_code', None)
        if status is not None and found != status:
            raise AssertionError(f'failed with {found} instead of {status}: {error}') from error
        if words not in f'{type(error).__name__} {error} {getattr(getattr(error, "error_detail", None), "name", "")}':
            raise AssertionError(f'failed otherwise: {error}') from error
        return error
    raise AssertionError('it did not fail')
