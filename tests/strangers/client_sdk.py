"""Official Python client: joins the group `stream` and prints its events, one JSON array per line.

usage: client_sdk.py NEGOTIATE_URL SUBPROTOCOL
Each line of standard input is published to the group as text, and the outcome is printed.
"""

import json
import sys
import urllib.request

from azure.messaging.webpubsubclient import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubDataType, WebPubSubProtocolType

negotiate_url, subprotocol = sys.argv[1:]


def tell(*words):
    # A single write, because threads of the client print events too.
    sys.stdout.write(json.dumps(words) + '\n')
    sys.stdout.flush()


def client_access_url():
    with urllib.request.urlopen(negotiate_url) as answer:
        return json.load(answer)['url']


protocol = WebPubSubProtocolType.JSON if subprotocol == 'json' else WebPubSubProtocolType.JSON_RELIABLE
# The SDK starts to wait for a response only after it has sent the request. With a local service, the response can arrive
# before; the SDK then waits until its timeout and continues.
client = WebPubSubClient(
    WebPubSubClientCredential(client_access_url),
    protocol_type=protocol,
    reconnect_retry_total=10,
    start_timeout=3,
    ack_timeout=3,
)

client.subscribe(CallbackType.CONNECTED, lambda event: tell('connected', event.connection_id, event.user_id))
client.subscribe(CallbackType.DISCONNECTED, lambda event: tell('disconnected', event.connection_id))
client.subscribe(CallbackType.STOPPED, lambda: tell('stopped'))
client.subscribe(CallbackType.GROUP_MESSAGE, lambda event: tell('message', event.group, event.data))
client.subscribe(CallbackType.SERVER_MESSAGE, lambda event: tell('server', event.data))

with client:
    client.join_group('stream')
    tell('joined')
    for line in sys.stdin:
        client.send_to_group('stream', line.rstrip('\n'), WebPubSubDataType.TEXT)
        tell('sent', line.rstrip('\n'))
