"""What an operation plays in: a hub of its own, and those who listen there."""

import re

import faces
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubProtocolType
from listener import Listener
from waiting import Queue
from way import Way

PROTOCOLS = [WebPubSubProtocolType.JSON, WebPubSubProtocolType.JSON_RELIABLE]


class Watched:
    """A client of the client SDK, and what it tells."""

    def __init__(self, client):
        self.client = client
        self.told = {event: Queue() for event in CallbackType}
        for event, told in self.told.items():
            client.subscribe(event, lambda *words, told=told: told.put(words[0] if words else None))

    def hears(self, event=CallbackType.GROUP_MESSAGE):
        """What it hears of groups, or of the server, next."""
        return self.told[event].next()

    def hears_all(self, count):
        """The data of the next group messages, sorted: the SDK has a thread for each, so their order is lost."""
        return sorted(self.hears().data for _ in range(count))

    def until_end(self):
        """The data of the group messages up to the text `end`, sorted."""
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
        """Moves to the server that asks the event handler."""
        self.connection_string = self._servers['answering']

    @property
    def endpoint(self):
        return re.search('Endpoint=([^;]*)', self.connection_string)[1]

    @property
    def key(self):
        return re.search('AccessKey=([^;]*)', self.connection_string)[1]

    @property
    def service(self):
        """The service SDK, on this hub."""
        key = (self.connection_string, self.hub)
        if key not in self._services:
            face = self.face if self.face in faces.SERVICES else faces.BLOCKING_SERVICE
            service = face.make('WebPubSubServiceClient.from_connection_string', self.connection_string, hub=self.hub)
            self._services[key] = service
            self._leaving.append(service.close)
        return self._services[key]

    def service_by(self, name, *positional, **named):
        """The service SDK, made otherwise."""
        service = self.face.make(name, *positional, hub=self.hub, **named)
        self._leaving.append(service.close)
        return service

    def say(self, text, **named):
        """Tells everybody a text."""
        self.service.send_to_all(text, content_type='text/plain', **named)

    def tell(self, group, text):
        """Tells a group a text."""
        self.service.send_to_group(group, text, content_type='text/plain')

    def url(self, **token):
        return self.service.get_client_access_token(**token)['url']

    def listen(self, *how, **token):
        """A client without an SDK, whose token says this."""
        listener = Listener.greeted(self.url(**token), *how)
        self._leaving.append(listener.drop)
        return listener

    def heard_by(self, *listeners):
        """Says `end` to everybody; gives what each of them has heard before that."""
        self.say('end')
        return [listener.until_end() for listener in listeners]

    def watch(self, provider, **options):
        """A client of the client SDK, with a provider of URLs."""
        # The blocking face begins to wait for an answer only after it has sent the question: against a service as near
        # as this one the answer may be there before, and then it waits for as long as it may, and goes on.
        waits = {} if self.face.is_asynchronous else {'start_timeout': 3, 'ack_timeout': 3}
        timing = {**waits, 'message_retry_total': 0, 'reconnect_retry_backoff_factor': 0.01}
        credential = self.face.credential(provider)
        return Watched(self.face.make('WebPubSubClient', credential, **{**timing, **options}))

    def client(self, token={}, **options):
        """The same, opened, with a token that says this."""
        watched = self.watch(lambda: self.url(**token), **options)
        watched.client.open()
        watched.greeting = watched.told[CallbackType.CONNECTED].next()
        return watched

    def client_on_a_way(self, token={}, **options):
        """The same, by a way that can be cut; the token may differ from time to time."""
        way = Way(self.endpoint)
        self._leaving.append(way.close)
        watched = self.watch(lambda: way.url(self.url(**(token() if callable(token) else token))), **options)
        watched.client.open()
        watched.greeting = watched.told[CallbackType.CONNECTED].next()
        return watched, way

    def in_both(self, act):
        """Plays an operation in both subprotocols, on a hub for each."""
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
                # It has ended before.
                pass
