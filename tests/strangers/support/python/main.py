"""Tests all operations of the official Python SDKs, and prints the results.

usage: main.py
1. It prints {"handlers": URL}, the URL of its event handler.
2. It reads {"plain": CONNECTION_STRING, "answering": CONNECTION_STRING} from standard input: a service without event
   handlers, and one that calls `URL/api/webpubsub/hubs/{hub}/`.
3. It prints {"sdk", "version", "methods"} for each SDK, with the public methods that reflection finds, and
   {"sdk", "operation", "covers", "outcome"} for each operation: the outcome is `works`, or the reason of the failure.
"""

import json
import logging
import os
import sys
import traceback

import client_connection
import client_events
import client_messages
import faces
import handler
import service_connections
import service_groups
import service_sending
import service_tokens
from report import Report, tell

SERVICE_SUITES = [service_sending, service_connections, service_groups, service_tokens]
CLIENT_SUITES = [client_connection, client_messages, client_events]


# The SDKs log expected errors.
logging.disable()


def main():
    application = handler.Application()
    tell({'handlers': application.url})
    report = Report(json.loads(sys.stdin.readline()), application)
    for suites, all_faces in [(SERVICE_SUITES, faces.SERVICES), (CLIENT_SUITES, faces.CLIENTS)]:
        for face in all_faces:
            operation = report.of(face)
            for suite in suites:
                suite.operations(operation)
    report.run()


try:
    main()
    code = 0
except BaseException:
    traceback.print_exc()
    code = 1
sys.stdout.flush()
# The SDKs' threads do not exit.
os._exit(code)
