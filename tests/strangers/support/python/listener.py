"""A client without an SDK: what it hears is what the service really sent."""

import json
import socket
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from waiting import PATIENCE

JSON_PROTOCOL = 'json.webpubsub.azure.v1'
RELIABLE_PROTOCOL = 'json.reliable.webpubsub.azure.v1'


class Refused(Exception):
    """The service did not open the WebSocket."""

    def __init__(self, status_code):
        super().__init__(f'the service answered {status_code}')
        self.status_code = status_code


class Listener:
    """A WebSocket with a JSON subprotocol."""

    def __init__(self, url, subprotocol=JSON_PROTOCOL, headers=None):
        self._url = url
        self._ack_id = 0
        try:
            self.ws = connect(url, subprotocols=[subprotocol], additional_headers=headers, proxy=None)
        except InvalidStatus as refusal:
            raise Refused(refusal.response.status_code) from None

    @classmethod
    def greeted(cls, *how):
        """The same for a client that the service greets."""
        listener = cls(*how)
        listener.greeting = listener.next()
        listener.id = listener.greeting['connectionId']
        return listener

    def next(self):
        """The next frame."""
        return json.loads(self.ws.recv(timeout=PATIENCE))

    def send(self, frame):
        self.ws.send(json.dumps(frame))

    def may(self, request):
        """Sends a request; says whether the service lets it do this. What else came meanwhile is dropped."""
        self._ack_id += 1
        self.send({**request, 'ackId': self._ack_id})
        while True:
            frame = self.next()
            if frame['type'] == 'ack' and frame['ackId'] == self._ack_id:
                return frame['success']

    def until_end(self):
        """What it hears up to the text `end`."""
        heard = []
        while (data := self.next()['data']) != 'end':
            heard.append(data)
        return heard

    def close_code(self):
        """Waits for the end; gives its code."""
        try:
            while True:
                self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def drop(self):
        """Goes away as a client in a tunnel does: without a word."""
        self.ws.socket.shutdown(socket.SHUT_RDWR)

    def recovered(self):
        """Comes back with its reconnection token."""
        back = {'awps_connection_id': self.id, 'awps_reconnection_token': self.greeting['reconnectionToken']}
        return Listener.greeted(f'{self._url}&{urlencode(back)}', RELIABLE_PROTOCOL)
