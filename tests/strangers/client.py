"""Client with the PyPI package `websockets`: sends lines of standard input and prints received messages.

usage: client.py URL [SUBPROTOCOL]
"""

import sys
import threading

from websockets.sync.client import connect

url, *subprotocols = sys.argv[1:]


def send_lines():
    for line in sys.stdin:
        ws.send(line.rstrip('\n'))


with connect(url, subprotocols=subprotocols or None) as ws:
    print('subprotocol:', ws.subprotocol, flush=True)
    threading.Thread(target=send_lines, daemon=True).start()
    for message in ws:
        print(message, flush=True)
