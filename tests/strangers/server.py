"""The tutorial's server: its page and its negotiate endpoint, with tokens by the official SDK.

Unmodified but for the port, which is a free one, and for the SDK's function, whose name has changed since.
"""

import json
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler

from azure.messaging.webpubsubservice import WebPubSubServiceClient

service = WebPubSubServiceClient.from_connection_string(sys.argv[1], hub='stream')
public = sys.argv[2]


class Request(SimpleHTTPRequestHandler):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, directory=public, **kwargs)

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


if __name__ == '__main__':
    server = HTTPServer(('localhost', 0), Request)
    print('server started on', server.server_port, flush=True)
    server.serve_forever()
