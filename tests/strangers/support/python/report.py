"""Runs operations and prints their outcomes, one JSON object per line."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor, TimeoutError

from scene import Scene

PATIENCE = 45
"""Timeout of an operation, in seconds. It is generous, because a test must not fail on a loaded machine."""
AT_ONCE = 16
"""Number of concurrent operations. Each has a separate hub."""


def tell(line):
    sys.stdout.write(json.dumps(line) + '\n')
    sys.stdout.flush()


def reason(error):
    """Returns the reason of a failure as one line."""
    words = ' '.join(str(error).split())[:300]
    return words or type(error).__name__


class Report:
    """Operations of all SDKs, and their outcomes."""

    def __init__(self, servers, application):
        self._servers = servers
        self._application = application
        self._waiting = []

    def of(self, face):
        """Returns a decorator for operations of one SDK: `@operation(name, *covered_methods)`."""
        tell({'sdk': face.name, 'version': face.version, 'methods': face.methods()})

        def operation(name, *covers):
            def add(act):
                self._waiting.append((face, name, covers, act))
                return act

            return add

        return operation

    def run(self):
        """Runs all operations, and prints their outcomes in order."""
        workers = ThreadPoolExecutor(AT_ONCE)
        running = [workers.submit(self._outcome, at, *entry) for at, entry in enumerate(self._waiting)]
        for (face, name, covers, _), outcome in zip(self._waiting, running):
            try:
                outcome = outcome.result(timeout=PATIENCE)
            except TimeoutError:
                outcome = f'nothing within {PATIENCE} s'
            tell({'sdk': face.name, 'operation': name, 'covers': covers, 'outcome': outcome})

    def _outcome(self, at, face, name, covers, act):
        scene = Scene(self._servers, self._application, f'hub{at}', face)
        try:
            act(scene)
            return 'works'
        except BaseException as error:
            return reason(error)
        finally:
            scene.close()
