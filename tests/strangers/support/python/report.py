"""Runs operations and tells their outcomes, one JSON object a line."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor, TimeoutError

from scene import Scene

PATIENCE = 45
"""How long one operation may take, in seconds. Generous, because a loaded machine is no failure."""
AT_ONCE = 16
"""How many operations run at once: each has a hub of its own, so that they do not meet."""


def tell(line):
    sys.stdout.write(json.dumps(line) + '\n')
    sys.stdout.flush()


def reason(error):
    """The reason of a failure, in one line."""
    words = ' '.join(str(error).split())[:300]
    return words or type(error).__name__


class Report:
    """The operations of all SDKs, and how they went."""

    def __init__(self, servers, application):
        self._servers = servers
        self._application = application
        self._waiting = []

    def of(self, face):
        """The operations of one SDK; gives a decorator for them: `@operation(name, *methods that it covers)`."""
        tell({'sdk': face.name, 'version': face.version, 'methods': face.methods()})

        def operation(name, *covers):
            def add(act):
                self._waiting.append((face, name, covers, act))
                return act

            return add

        return operation

    def run(self):
        """Runs every operation; tells each as soon as those before it are told."""
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
