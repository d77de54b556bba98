"""Fixture of an operation: a separate hub with its clients."""

import re

import faces
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubProtocolType
from listener import Listener
from waiting import Queue
from way import Way

PROTOCOLS = [WebPubSubProtocolType.JSON, WebPubSubProtocolType.JSON_RELIABLE]


class Watched:
    """Client of the client SDK, with its events."""

    def __init__(self, client):
        self.client = client
        self.told = {event: Queue() for event in CallbackType}
        for event, told in self.told.items():
            client.subscribe(event, lambda *words, told=told: told.put(words[0] if words else None))

    def hears(self, event=CallbackType.GROUP_MESSAGE):
        """Returns the next message of a group or of the server."""
        return self.told[event].next()

    def hears_all(self, count):
        """Returns the data of the next group messages, sorted: the SDK uses a thread per message, so the order is undefined."""
        return sorted(self.hears().data for _ in range(count))

    def until_end(self):
        """Returns the data of the group messages before the text `end`, sorted."""
        heard = []
        while (data := self.hears().data) != 'end':
            heard.append(data)
        return sorted(heard)


class Scene:
    def __init__(self, servers, application, hub, face):
        self.hub = hub
        self.face = face
        self.application = application
        self._servers = servers
        self.connection_string = servers['plain']
        self._leaving = []
        self._services = {}

    def asks_the_application(self):
        """Switches to the server with the event handler."""
        self.connection_string = self._servers['answering']

    @property
    def endpoint(self):
        return re.search('Endpoint=([^;]*)', self.connection_string)[1]

    @property
    def key(self):
        return re.search('AccessKey=([^;]*)', self.connection_string)[1]

    @property
    def service(self):
        """Returns the service SDK for this hub."""
        key = (self.connection_string, self.hub)
        if key not in self._services:
            face = self.face if self.face in faces.SERVICES else faces.BLOCKING_SERVICE
            service = face.make('WebPubSubServiceClient.from_connection_string', self.connection_string, hub=self.hub)
            self._services[key] = service
            self._leaving.append(service.close)
        return self._services[key]

    def service_by(self, name, *positional, **named):
        """Creates the service SDK with other arguments."""
        service = self.face.make(name, *positional, hub=self.hub, **named)
        self._leaving.append(service.close)
        return service

    def say(self, text, **named):
        """Sends a text to all clients."""
        self.service.send_to_all(text, content_type='text/plain', **named)

    def tell(self, group, text):
        """Sends a text to a group."""
        self.service.send_to_group(group, text, content_type='text/plain')

    def url(self, **token):
        return self.service.get_client_access_token(**token)['url']

    def listen(self, *how, **token):
        """Connects a client without an SDK, with these token claims."""
        listener = Listener.greeted(self.url(**token), *how)
        self._leaving.append(listener.drop)
        return listener

    def heard_by(self, *listeners):
        """Sends `end` to all clients. Returns the messages that each received before."""
        self.say('end')
        return [listener.until_end() for listener in listeners]

    def watch(self, provider, **options):
        """Creates a client of the client SDK with a URL provider."""
        # The blocking SDK starts to wait for a response only after it has sent the request. With a local service, the
        # response can arrive before; the SDK then waits until its timeout and continues.
        waits = {} if self.face.is_asynchronous else {'start_timeout': 3, 'ack_timeout': 3}
        timing = {**waits, 'message_retry_total': 0, 'reconnect_retry_backoff_factor': 0.01}
        credential = self.face.credential(provider)
        return Watched(self.face.make('WebPubSubClient', credential, **{**timing, **options}))

    def client(self, token={}, **options):
        """Opens a client of the client SDK with these token claims."""
        watched = self.watch(lambda: self.url(**token), **options)
        watched.client.open()
        watched.greeting = watched.told[CallbackType.CONNECTED].next()
        return watched

    def client_on_a_way(self, token={}, **options):
        """Opens a client through a proxy whose connections can be dropped. The token can change between connections."""
        way = Way(self.endpoint)
        self._leaving.append(way.close)
        watched = self.watch(lambda: way.url(self.url(**(token() if callable(token) else token))), **options)
        watched.client.open()
        watched.greeting = watched.told[CallbackType.CONNECTED].next()
        return watched, way

    def in_both(self, act):
        """Runs an operation in both subprotocols, with separate hubs."""
        for protocol in PROTOCOLS:
            self.hub += 'x'
            try:
                act(protocol)
            except Exception as error:
                raise AssertionError(f'{protocol.name}: {error} {getattr(error, "error_detail", None) or ""}') from error

    def close(self):
        for leave in reversed(self._leaving):
            try:
                leave()
            except OSError:
                # It has already ended.
                pass
