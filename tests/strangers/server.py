"""The tutorial's server: serves its page and the negotiate endpoint, with tokens of the official SDK.

usage: server.py CONNECTION_STRING FOLDER
Modifications: the port is free and printed. `build_authentication_token` was removed from the SDK, and
`get_client_access_token` replaces it. Each connection has a thread, because browsers open connections that they do not
use, which would block a server with one thread. Other paths return 404, and requests are not logged.
"""

import json
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string, folder = sys.argv[1:]
service = WebPubSubServiceClient.from_connection_string(connection_string, hub='stream')


class Request(SimpleHTTPRequestHandler):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, directory=folder, **kwargs)

    def do_GET(self):
        if self.path == '/':
            self.path = 'index.html'
            return SimpleHTTPRequestHandler.do_GET(self)
        elif self.path == '/negotiate':
            roles = ['webpubsub.sendToGroup.stream', 'webpubsub.joinLeaveGroup.stream']
            token = service.get_client_access_token(roles=roles)
            self.send_response(200)
            self.send_header('Content-Type', 'application/json')
            self.end_headers()
            self.wfile.write(json.dumps({'url': token['url']}).encode())
        else:
            # Browsers request an icon.
            self.send_error(404)

    def log_message(self, *args):
        pass


if __name__ == '__main__':
    server = ThreadingHTTPServer(('localhost', 0), Request)
    print('server started on', server.server_port, flush=True)
    server.serve_forever()
