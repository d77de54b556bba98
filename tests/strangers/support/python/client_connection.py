"""Client SDK: connecting, disconnecting and recovery."""

import time

from azure.core.pipeline.policies import RetryMode
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubProtocolType

from client_messages import MASTER
from waiting import equal, eventually, raises

JSON, RELIABLE = WebPubSubProtocolType.JSON, WebPubSubProtocolType.JSON_RELIABLE


def operations(operation):
    opening(operation)
    closing(operation)
    reconnecting(operation)
    recovering(operation)


def opening(operation):
    for words, protocol in [('JSON', JSON), ('reliable JSON', RELIABLE)]:

        @operation(f'start: {words}', 'open', 'is_connected', 'subscribe')
        def _(scene, protocol=protocol):
            watched = scene.watch(lambda: scene.url(user_id='ada é'), protocol_type=protocol)
            equal(bool(watched.client.is_connected()), False)
            watched.client.open()
            equal(bool(watched.client.is_connected()), True)
            greeting = watched.told[CallbackType.CONNECTED].next()
            equal(greeting.user_id, 'ada é')
            equal(scene.service.connection_exists(greeting.connection_id), True)

    @operation('start: fixed URL', 'open', 'get_client_access_url')
    def _(scene):
        watched = scene.watch(scene.url(user_id='ada'))
        watched.client.open()
        equal(watched.told[CallbackType.CONNECTED].next().user_id, 'ada')

    @operation('start: refused token', 'open')
    def _(scene):
        watched = scene.watch(scene.url() + 'x')
        raises(watched.client.open, words='OpenClientError')
        equal(watched.told[CallbackType.CONNECTED].rest(), [])

    @operation('start: user agent', 'open')
    def _(scene):
        scene.client(user_agent='mine/1.0')


def closing(operation):
    @operation('stop and start again', 'open', 'close', 'is_connected')
    def _(scene):
        def act(protocol):
            watched = scene.client(protocol_type=protocol)
            watched.client.close()
            equal(watched.told[CallbackType.DISCONNECTED].next().connection_id, watched.greeting.connection_id)
            watched.told[CallbackType.STOPPED].next()
            equal(bool(watched.client.is_connected()), False)
            watched.client.open()
            again = watched.told[CallbackType.CONNECTED].next()
            equal(again.connection_id != watched.greeting.connection_id, True)

        scene.in_both(act)

    @operation('stop: the service closes the connection', 'close')
    def _(scene):
        def act(protocol):
            watched = scene.client({'user_id': 'ada'}, protocol_type=protocol)
            watched.client.close()
            eventually(lambda: not scene.service.user_exists('ada'))

        scene.in_both(act)

    @operation('callbacks: removal', 'subscribe', 'unsubscribe')
    def _(scene):
        watched = scene.client({'groups': ['g']})
        unwanted = []
        for event in CallbackType:
            listener = lambda *words, event=event: unwanted.append(event)
            watched.client.subscribe(event, listener)
            watched.client.unsubscribe(event, listener)
        scene.tell('g', 'x')
        scene.say('x')
        watched.hears()
        watched.hears(CallbackType.SERVER_MESSAGE)
        watched.client.close()
        watched.told[CallbackType.STOPPED].next()
        equal(unwanted, [])

    @operation('closed by the service: reason', 'subscribe')
    def _(scene):
        def act(protocol):
            watched = scene.client(protocol_type=protocol, reconnect_retry_total=0)
            scene.service.close_connection(watched.greeting.connection_id, reason='enough')
            farewell = watched.told[CallbackType.DISCONNECTED].next()
            equal(farewell.connection_id, watched.greeting.connection_id)
            equal(farewell.message, 'Application server closed the connection. Reason: enough')
            watched.told[CallbackType.STOPPED].next()

        scene.in_both(act)


def reconnecting(operation):
    @operation('reconnect: after a dropped connection', 'open')
    def _(scene):
        watched, way = scene.client_on_a_way({'user_id': 'ada'}, protocol_type=JSON)
        way.cut()
        equal(watched.told[CallbackType.DISCONNECTED].next().connection_id, watched.greeting.connection_id)
        again = watched.told[CallbackType.CONNECTED].next()
        equal((again.connection_id != watched.greeting.connection_id, again.user_id), (True, 'ada'))

    @operation('reconnect: disabled', 'open')
    def _(scene):
        watched, way = scene.client_on_a_way(protocol_type=JSON, reconnect_retry_total=0)
        way.cut()
        watched.told[CallbackType.STOPPED].next()
        equal(watched.told[CallbackType.CONNECTED].rest(), [])

    @operation('reconnect: maximum number of attempts', 'open')
    def _(scene):
        for mode in RetryMode:
            watched, way = scene.client_on_a_way(
                protocol_type=JSON, reconnect_retry_total=2, reconnect_retry_mode=mode, reconnect_retry_backoff_max=0.02
            )
            way.block()
            watched.told[CallbackType.STOPPED].next()

    @operation('rejoin groups: after a reconnection', 'join_group')
    def _(scene):
        watched, way = scene.client_on_a_way(MASTER, protocol_type=JSON)
        watched.client.join_group('g')
        way.cut()
        watched.told[CallbackType.CONNECTED].next()
        eventually(lambda: scene.service.group_exists('g'))
        scene.tell('g', 'again')
        equal(watched.hears().data, 'again')

    @operation('rejoin groups: disabled', 'join_group')
    def _(scene):
        watched, way = scene.client_on_a_way(MASTER, protocol_type=JSON, auto_rejoin_groups=False)
        watched.client.join_group('g')
        way.cut()
        watched.told[CallbackType.CONNECTED].next()
        watched.client.join_group('h')
        equal((scene.service.group_exists('g'), scene.service.group_exists('h')), (False, True))

    @operation('rejoin groups: no longer allowed', 'join_group', 'subscribe')
    def _(scene):
        tokens = iter([MASTER])
        watched, way = scene.client_on_a_way(lambda: next(tokens, {}), protocol_type=JSON)
        watched.client.join_group('g')
        way.cut()
        failed = watched.told[CallbackType.REJOIN_GROUP_FAILED].next()
        equal((failed.group, failed.error.error_detail.name), ('g', 'Forbidden'))


def recovering(operation):
    @operation('recovery: missed messages arrive once, in order', 'open')
    def _(scene):
        watched, way = scene.client_on_a_way({'groups': ['g']}, protocol_type=RELIABLE)
        scene.tell('g', 'before')
        before = watched.hears()
        way.block()
        missed = ['missed 1', 'missed 2']
        for text in missed:
            scene.tell('g', text)
        equal(scene.service.connection_exists(watched.greeting.connection_id), True)
        way.unblock()
        # The SDK does not preserve the order, but reports the sequence ids.
        heard = sorted([watched.hears(), watched.hears()], key=lambda message: message.sequence_id)
        equal([message.data for message in heard], missed)
        equal([message.sequence_id - before.sequence_id for message in heard], [1, 2])
        scene.tell('g', 'end')
        equal(watched.until_end(), [])
        # No event was emitted.
        equal([watched.told[event].rest() for event in (CallbackType.DISCONNECTED, CallbackType.CONNECTED)], [[], []])

    @operation('recovery: new connection if it is impossible', 'open')
    def _(scene):
        watched, way = scene.client_on_a_way(protocol_type=RELIABLE)
        way.block()
        scene.service.close_connection(watched.greeting.connection_id)
        way.unblock()
        equal(watched.told[CallbackType.DISCONNECTED].next().connection_id, watched.greeting.connection_id)
        again = watched.told[CallbackType.CONNECTED].next()
        equal(again.connection_id != watched.greeting.connection_id, True)

    @operation('recovery: the client acknowledges messages', 'open')
    def _(scene):
        # More messages than the service stores for a client that does not acknowledge them.
        watched = scene.client({'groups': ['g']}, protocol_type=RELIABLE)
        publisher = scene.listen(**MASTER)
        for sent in range(3):
            for number in range(400):
                publisher.send({'type': 'sendToGroup', 'group': 'g', 'data': number})
            equal(watched.hears_all(400), list(range(400)))
            if sent < 2:
                # The SDK acknowledges once per second.
                time.sleep(1.1)
        equal(watched.told[CallbackType.DISCONNECTED].rest(), [])
