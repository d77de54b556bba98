"""Client SDK: events for the application."""

from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubDataType

from waiting import equal, raises

TEXT = WebPubSubDataType.TEXT
# Event type: sent and expected data.
EVENTS = {
    'text': ('plain é', 'text/plain', 'plain é'.encode()),
    'JSON': ({'é': 1}, 'application/json', None),
    'binary': (memoryview(b'\x00\xff'), 'application/octet-stream', b'\x00\xff'),
    'protobuf': (memoryview(b'\x0a\x01a\x12\x01\x01'), 'application/x-protobuf', b'\x0a\x01a\x12\x01\x01'),
}


def operations(operation):
    for kind in EVENTS:
        sends(operation, kind)

    @operation('send event: fire and forget', 'send_event')
    def _(scene):
        scene.asks_the_application()
        watched = scene.client()
        watched.client.send_event('echo', 'forgotten', TEXT, ack=False)
        equal(watched.hears(CallbackType.SERVER_MESSAGE).data, 'forgotten')

    @operation('send event: ack id', 'send_event')
    def _(scene):
        scene.asks_the_application()
        watched = scene.client()
        for text in ['1', '2']:
            watched.client.send_event('quiet', text, TEXT, ack_id=7)
        equal(scene.application.told(scene.hub).rest(), [('quiet', 'text/plain', b'1')])

    @operation('send event: handler error', 'send_event')
    def _(scene):
        scene.asks_the_application()
        watched = scene.client()
        raises(lambda: watched.client.send_event('fail', 'x', TEXT), words='InternalServerError')
        # The connection stays open.
        watched.client.send_event('quiet', 'x', TEXT)

    @operation('send event: no handler', 'send_event')
    def _(scene):
        watched = scene.client()
        raises(lambda: watched.client.send_event('echo', 'x', TEXT), words='InternalServerError')


def sends(operation, kind):
    @operation(f'send event: {kind}', 'send_event')
    def _(scene):
        content, content_type, body = EVENTS[kind]
        data_type = WebPubSubDataType[kind.upper()]
        scene.asks_the_application()

        def act(protocol):
            watched = scene.client(protocol_type=protocol)
            watched.client.send_event('echo', content, data_type)
            event, its_type, its_body = scene.application.told(scene.hub).next()
            equal((event, its_type), ('echo', content_type))
            if body is not None:
                equal(its_body, body)
            reply = watched.hears(CallbackType.SERVER_MESSAGE)
            equal((reply.data_type, reply.data), (data_type, content))

        scene.in_both(act)
