"""Client without an SDK, which receives the frames of the service unchanged."""

import json
import socket
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from waiting import PATIENCE

JSON_PROTOCOL = 'json.webpubsub.azure.v1'
RELIABLE_PROTOCOL = 'json.reliable.webpubsub.azure.v1'


class Refused(Exception):
    """The service refused the WebSocket."""

    def __init__(self, status_code):
        super().__init__(f'the service answered {status_code}')
        self.status_code = status_code


class Listener:
    """WebSocket with a JSON subprotocol."""

    def __init__(self, url, subprotocol=JSON_PROTOCOL, headers=None):
        self._url = url
        self._ack_id = 0
        try:
            self.ws = connect(url, subprotocols=[subprotocol], additional_headers=headers, proxy=None)
        except InvalidStatus as refusal:
            raise Refused(refusal.response.status_code) from None

    @classmethod
    def greeted(cls, *how):
        """Opens a WebSocket, and waits for the `connected` event."""
        listener = cls(*how)
        listener.greeting = listener.next()
        listener.id = listener.greeting['connectionId']
        return listener

    def next(self):
        """Returns the next frame."""
        return json.loads(self.ws.recv(timeout=PATIENCE))

    def send(self, frame):
        self.ws.send(json.dumps(frame))

    def may(self, request):
        """Sends a request. Returns whether it succeeds. Other frames before the ack are dropped."""
        self._ack_id += 1
        self.send({**request, 'ackId': self._ack_id})
        while True:
            frame = self.next()
            if frame['type'] == 'ack' and frame['ackId'] == self._ack_id:
                return frame['success']

    def until_end(self):
        """Returns the messages before the text `end`."""
        heard = []
        while (data := self.next()['data']) != 'end':
            heard.append(data)
        return heard

    def close_code(self):
        """Waits for the close frame. Returns its code."""
        try:
            while True:
                self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def drop(self):
        """Drops the connection without a close frame."""
        self.ws.socket.shutdown(socket.SHUT_RDWR)

    def recovered(self):
        """Recovers the connection with its reconnection token."""
        back = {'awps_connection_id': self.id, 'awps_reconnection_token': self.greeting['reconnectionToken']}
        return Listener.greeted(f'{self._url}&{urlencode(back)}', RELIABLE_PROTOCOL)
