"""TCP proxy to the service whose connections can be dropped."""

import socket
import threading
from urllib.parse import urlsplit, urlunsplit


class Way:
    """TCP proxy to the server at a URL."""

    def __init__(self, endpoint):
        target = urlsplit(endpoint)
        self._target = (target.hostname, target.port)
        self._sockets = set()
        self._is_blocked = False
        self._listening = socket.create_server(('127.0.0.1', 0))
        self._address = '%s:%d' % self._listening.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._is_blocked:
                client.close()
                continue
            service = socket.create_connection(self._target)
            self._sockets |= {client, service}
            for ends in [(client, service), (service, client)]:
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    @staticmethod
    def _carry(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other direction has already closed it.
                pass

    def url(self, url):
        """Returns the URL through the proxy."""
        return urlunsplit(urlsplit(url)._replace(netloc=self._address))

    def cut(self):
        """Drops all current connections."""
        for end in list(self._sockets):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It was already closed.
                pass
        self._sockets.clear()

    def block(self):
        """Drops all current connections, and refuses new ones until `unblock`."""
        self._is_blocked = True
        self.cut()

    def unblock(self):
        self._is_blocked = False

    def close(self):
        self._listening.close()
        self.cut()
