"""The tutorial's publisher: sends one message to all clients of a hub with the official SDK.

usage: publish.py CONNECTION_STRING HUB MESSAGE
"""

import sys

from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string, hub, message = sys.argv[1:]
service = WebPubSubServiceClient.from_connection_string(connection_string, hub=hub)
service.send_to_all(message, content_type='text/plain')
