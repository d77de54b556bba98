"""The tutorial's streamer: one message, then one receive.

Unmodified except for the URL, which is an argument, and for `asyncio.run`, without which new Python versions have no event
loop. At the end of its input it fails with an `EOFError`, as the original does.
"""

import asyncio
import sys
import threading
import time
import websockets
import requests
import json


async def connect(url):
    async with websockets.connect(url, subprotocols=['json.webpubsub.azure.v1']) as ws:
        print('connected')
        id = 1
        while True:
            data = input()
            payload = {
                'type': 'sendToGroup',
                'group': 'stream',
                'dataType': 'text',
                'data': str(data),
                'ackId': id
            }
            id = id + 1
            await ws.send(json.dumps(payload))
            await ws.recv()

res = requests.get(sys.argv[1]).json()

try:
    asyncio.run(connect(res['url']))
except KeyboardInterrupt:
    pass
