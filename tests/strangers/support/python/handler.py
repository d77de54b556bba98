"""Event handler of an application. Python has no SDK for event handlers."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from waiting import Queue


class Application:
    """Echoes every event. Fails at the event `fail`, and returns no content for the event `quiet`."""

    def __init__(self):
        self._told = {}
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_OPTIONS(self):
                self.answer(200, {'WebHook-Allowed-Origin': '*'})

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                kind, event = self.headers['ce-type'], self.headers['ce-eventName']
                if '.user.' not in kind:
                    return self.answer(204)
                content_type = self.headers['Content-Type']
                application.told(self.headers['ce-hub']).put((event, content_type.split(';')[0], body))
                if event == 'fail':
                    self.answer(400)
                elif event == 'quiet':
                    self.answer(204)
                else:
                    self.answer(200, {'Content-Type': content_type}, body)

            def answer(self, status, headers={}, body=b''):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{server.server_port}'
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def told(self, hub):
        """Returns the events of a hub: name, content type and body."""
        return self._told.setdefault(hub.lower(), Queue())
