"""Client SDK: groups, publishing and receiving."""

from concurrent.futures import ThreadPoolExecutor

from azure.core.pipeline.policies import RetryMode
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubDataType, WebPubSubProtocolType

from waiting import PATIENCE, equal, raises

MASTER = {'roles': ['webpubsub.joinLeaveGroup', 'webpubsub.sendToGroup']}
"""Roles with all permissions in all groups."""

TEXT = WebPubSubDataType.TEXT
# Data type: published and expected data. The last one is an encoded `google.protobuf.Any`.
MESSAGES = {
    'text': ['plain é', ''],
    'JSON': [{'deep': [1, None, {'é': True}]}, 'a string'],
    'binary': [memoryview(b'\x00\xff\n')],
    'protobuf': [memoryview(b'\x0a\x01a\x12\x01\x01')],
}


def operations(operation):
    groups(operation)
    for kind in MESSAGES:
        sends(operation, kind)
    publishing(operation)


def groups(operation):
    def in_both(name, *covers):
        """Decorates an operation that runs in both subprotocols."""
        return lambda act: operation(name, *covers)(lambda scene: scene.in_both(lambda protocol: act(scene, protocol)))

    @in_both('join group', 'join_group')
    def _(scene, protocol):
        watched = scene.client(MASTER, protocol_type=protocol)
        watched.client.join_group('a room')
        scene.tell('a room', 'hello')
        equal(watched.hears().data, 'hello')

    @in_both('join group: ack id', 'join_group')
    def _(scene, protocol):
        watched = scene.client(MASTER, protocol_type=protocol)
        watched.client.join_group('g', ack_id=77)
        # The service treats it as a duplicate, and the SDK treats that as success.
        watched.client.join_group('h', ack_id=77)
        scene.tell('h', 'to h')
        scene.tell('g', 'to g')
        equal(watched.hears().data, 'to g')

    @in_both('join group: forbidden', 'join_group')
    def _(scene, protocol):
        watched = scene.client({'roles': ['webpubsub.joinLeaveGroup.g']}, protocol_type=protocol)
        raises(lambda: watched.client.join_group('h'), words='Forbidden')
        watched.client.join_group('g')

    @in_both('leave group', 'leave_group')
    def _(scene, protocol):
        watched = scene.client({**MASTER, 'groups': ['g', 'h']}, protocol_type=protocol)
        watched.client.leave_group('g')
        scene.tell('g', 'to g')
        scene.tell('h', 'to h')
        equal(watched.hears().data, 'to h')

    @in_both('leave group: ack id', 'leave_group')
    def _(scene, protocol):
        watched = scene.client({**MASTER, 'groups': ['g']}, protocol_type=protocol)
        watched.client.leave_group('other', ack_id=5)
        watched.client.leave_group('g', ack_id=5)
        scene.tell('g', 'still')
        equal(watched.hears().data, 'still')

    @in_both('leave group: forbidden', 'leave_group')
    def _(scene, protocol):
        watched = scene.client({'groups': ['g']}, protocol_type=protocol)
        raises(lambda: watched.client.leave_group('g'), words='Forbidden')


def sends(operation, kind):
    @operation(f'send to group: {kind}', 'send_to_group', 'subscribe')
    def _(scene):
        def act(protocol):
            publisher = scene.client({**MASTER, 'user_id': 'ada'}, protocol_type=protocol)
            subscriber = scene.client({'groups': ['a room']}, protocol_type=protocol)
            data_type = WebPubSubDataType[kind.upper()]
            for content in MESSAGES[kind]:
                publisher.client.send_to_group('a room', content, data_type)
                message = subscriber.hears()
                equal((message.group, message.from_user_id), ('a room', 'ada'))
                equal(message.sequence_id is not None, protocol is WebPubSubProtocolType.JSON_RELIABLE)
                equal((message.data_type, message.data), (data_type, content))

        scene.in_both(act)


def publishing(operation):
    def in_both(name):
        """Decorates an operation that runs in both subprotocols."""
        covered = operation(name, 'send_to_group')
        return lambda act: covered(lambda scene: scene.in_both(lambda protocol: act(scene, protocol)))

    @in_both('send to group: no echo')
    def _(scene, protocol):
        publisher = scene.client({**MASTER, 'groups': ['g']}, protocol_type=protocol)
        subscriber = scene.client({'groups': ['g']}, protocol_type=protocol)
        publisher.client.send_to_group('g', 'for others', TEXT, no_echo=True)
        publisher.client.send_to_group('g', 'for all', TEXT, no_echo=False)
        equal(subscriber.hears_all(2), ['for all', 'for others'])
        publisher.client.send_to_group('g', 'later', TEXT)
        equal(publisher.hears_all(2), ['for all', 'later'])

    @in_both('send to group: fire and forget')
    def _(scene, protocol):
        publisher = scene.client({**MASTER, 'groups': ['g']}, protocol_type=protocol)
        publisher.client.send_to_group('g', 'forgotten', TEXT, ack=False)
        equal(publisher.hears().data, 'forgotten')

    @in_both('send to group: ack id')
    def _(scene, protocol):
        publisher = scene.client({**MASTER, 'groups': ['g']}, protocol_type=protocol)
        for text in ['first', 'second']:
            publisher.client.send_to_group('g', text, TEXT, ack_id=7)
        equal(publisher.hears().data, 'first')
        publisher.client.send_to_group('g', 'third', TEXT, ack_id=8)
        equal(publisher.hears().data, 'third')

    @in_both('send to group: forbidden')
    def _(scene, protocol):
        publisher = scene.client(protocol_type=protocol)
        raises(lambda: publisher.client.send_to_group('g', 'x', TEXT), words='Forbidden')

    @in_both('send to group: retry')
    def _(scene, protocol):
        retries = {'message_retry_total': 100, 'message_retry_mode': RetryMode.Fixed, 'message_retry_backoff_factor': 0.02}
        publisher = scene.client({'groups': ['g']}, protocol_type=protocol, **retries)
        with ThreadPoolExecutor(1) as worker:
            sending = worker.submit(publisher.client.send_to_group, 'g', 'at last', TEXT)
            target = {'connection_id': publisher.greeting.connection_id, 'target_name': 'g'}
            scene.service.grant_permission('sendToGroup', **target)
            sending.result(PATIENCE)
        equal(publisher.hears().data, 'at last')

    @operation('server messages', 'subscribe')
    def _(scene):
        def act(protocol):
            watched = scene.client({'user_id': 'ada'}, protocol_type=protocol)
            heard = lambda: watched.hears(CallbackType.SERVER_MESSAGE)
            scene.service.send_to_user('ada', 'text', content_type='text/plain')
            equal(heard().data, 'text')
            scene.service.send_to_connection(watched.greeting.connection_id, {'json': 1})
            equal(heard().data, {'json': 1})
            scene.service.send_to_all(b'\x01\x02', content_type='application/octet-stream')
            equal(heard().data, b'\x01\x02')

        scene.in_both(act)
