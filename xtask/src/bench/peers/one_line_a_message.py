"""The peer: sends standard input as the tutorial does, one line a message, each acknowledgement awaited.

usage: one_line_a_message.py NEGOTIATE_URL GROUP
Prints `sent LINES SECONDS`, counted from the open connection to the last acknowledgement.
"""

import asyncio
import json
import sys
import time
import urllib.request

import websockets


async def stream(url: str, group: str) -> None:
    async with websockets.connect(url, subprotocols=["json.webpubsub.azure.v1"]) as ws:
        await ws.recv()  # `connected`
        start = time.perf_counter()
        ack_id = 0
        for line in sys.stdin:
            ack_id += 1
            message = {
                "type": "sendToGroup",
                "group": group,
                "dataType": "text",
                "data": line.rstrip("\n"),
                "ackId": ack_id,
            }
            await ws.send(json.dumps(message))
            ack = json.loads(await ws.recv())
            if not ack.get("success"):
                sys.exit(f"line {ack_id} was refused: {ack}")
        print("sent", ack_id, time.perf_counter() - start, flush=True)


def main() -> None:
    negotiate, group = sys.argv[1:]
    with urllib.request.urlopen(negotiate) as answer:
        url = json.load(answer)["url"]
    asyncio.run(stream(url, group))


main()
