"""Waiting for values, and assertions."""

import queue
import time

PATIENCE = 20
"""Timeout of a wait, in seconds."""


class Queue(queue.Queue):
    """Queue with a timeout."""

    def next(self):
        """Waits for the next value."""
        try:
            return self.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError(f'nothing came within {PATIENCE} s') from None

    def rest(self):
        """Returns all queued values."""
        values = []
        while not self.empty():
            values.append(self.get_nowait())
        return values


def eventually(condition):
    """Polls a condition, for effects after the response of the service."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f'not so within {PATIENCE} s')
        time.sleep(0.01)


def equal(actual, expected):
    """Fails the operation if the values differ."""
    if actual != expected:
        raise AssertionError(f'{actual!r} instead of {expected!r}')


def raises(call, *, status=None, words=''):
    """Checks that the call fails with an HTTP status or a message."""
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
