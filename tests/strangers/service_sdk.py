"""Calls one method of the official service SDK.

usage: service_sdk.py CONNECTION_STRING METHOD ARGUMENTS
ARGUMENTS is a JSON object of keyword arguments; `message_hex` is a message of bytes. Prints the result as JSON.
"""

import json
import sys

from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string, method, arguments = sys.argv[1:]
arguments = json.loads(arguments)
if 'message_hex' in arguments:
    arguments['message'] = bytes.fromhex(arguments.pop('message_hex'))
service = WebPubSubServiceClient.from_connection_string(connection_string, hub='stream')
result = getattr(service, method)(**arguments)
if hasattr(result, 'by_page'):
    result = [{'connectionId': member.connection_id, 'userId': member.user_id} for member in result]
print(json.dumps(result))
