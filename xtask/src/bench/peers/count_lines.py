"""A subscriber that counts lines.

usage: count_lines.py NEGOTIATE_URL GROUP LINES
Prints `ready` when it is in the group, and `counted LINES MESSAGES` when that many lines have come.
A message of several lines joins them with newlines.
"""

import asyncio
import json
import sys
import urllib.request

import websockets


async def count(url: str, group: str, wanted: int) -> None:
    protocols = ["json.webpubsub.azure.v1"]
    async with websockets.connect(url, subprotocols=protocols, max_size=None, compression=None) as ws:
        await ws.send(json.dumps({"type": "joinGroup", "group": group, "ackId": 1}))
        lines = messages = 0
        while lines < wanted:
            frame = json.loads(await ws.recv())
            if frame["type"] == "ack":
                if not frame["success"]:
                    sys.exit(f"joining {group} was refused: {frame}")
                print("ready", flush=True)
            elif frame["type"] == "message" and frame.get("group") == group:
                messages += 1
                lines += frame["data"].count("\n") + 1
        print("counted", lines, messages, flush=True)


def main() -> None:
    negotiate, group, wanted = sys.argv[1:]
    with urllib.request.urlopen(negotiate) as answer:
        url = json.load(answer)["url"]
    asyncio.run(count(url, group, int(wanted)))


main()
