"""One official Python client that sends messages, each acknowledged, and hears each of them.

usage: client.py NEGOTIATE_URL plain|reliable MESSAGES
Prints `measured SECONDS CPU_SECONDS`. The client blocks on each message, so a number of threads share it.
"""

import json
import sys
import threading
import time
import urllib.request

from azure.messaging.webpubsubclient import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubDataType, WebPubSubProtocolType

THREADS = 16
MESSAGE_BYTES = 100
negotiate_url, form, count = sys.argv[1:]
messages = int(count)


def client_access_url():
    with urllib.request.urlopen(negotiate_url) as answer:
        return json.load(answer)['url']


heard = 0
all_heard = threading.Event()


def hear(_):
    global heard
    heard += 1
    if heard == messages:
        all_heard.set()


# It begins to wait for an answer only after it has sent the question: an answer that was there before is waited for
# as long as it may be, so that may not be long.
client = WebPubSubClient(
    WebPubSubClientCredential(client_access_url),
    protocol_type=WebPubSubProtocolType.JSON if form == 'plain' else WebPubSubProtocolType.JSON_RELIABLE,
    start_timeout=3,
    ack_timeout=1,
    message_retry_total=3,
)
client.subscribe(CallbackType.GROUP_MESSAGE, hear)


def send(share):
    for _ in range(share):
        client.send_to_group('stream', 'x' * MESSAGE_BYTES, WebPubSubDataType.TEXT)


with client:
    client.join_group('stream')
    threads = [threading.Thread(target=send, args=(messages // THREADS,)) for _ in range(THREADS)]
    cpu, began = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_heard.wait(60)
    print('measured', time.perf_counter() - began, time.process_time() - cpu, flush=True)
