"""Calls the chat service as an application with the vendor's SDK does, and prints the error of each call as a line of JSON.

usage: chat_service.py CONNECTION_STRING
"""

import asyncio
import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.messaging.webpubsubchatservice import WebPubSubChatServiceClient
from azure.messaging.webpubsubchatservice.aio import WebPubSubChatServiceClient as AsyncClient

CONNECTION_STRING = sys.argv[1]


def report(call: str, error: HttpResponseError) -> None:
    print(json.dumps({"call": call, "status": error.status_code, "error": str(error)}))


def refused_calls() -> None:
    client = WebPubSubChatServiceClient.from_connection_string(CONNECTION_STRING, hub="stream")
    calls = {
        "get_room": lambda: client.get_room("lobby"),
        "list_roles": lambda: list(client.list_roles()),
        "create_or_replace_role": lambda: client.create_or_replace_role("user.moderator", {"permissions": []}),
        "delete_user": lambda: client.delete_user("ada"),
        "list_messages": lambda: list(client.list_messages("conversation")),
    }
    for name, call in calls.items():
        try:
            call()
        except HttpResponseError as error:
            report(name, error)


async def refused_async_call() -> None:
    async with AsyncClient.from_connection_string(CONNECTION_STRING, hub="stream") as client:
        try:
            await client.get_room("lobby")
        except HttpResponseError as error:
            report("get_room, aio", error)


refused_calls()
asyncio.run(refused_async_call())
