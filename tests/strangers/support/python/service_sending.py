"""Service SDK: sending to all clients, users, connections and groups."""

import io
import time

from listener import RELIABLE_PROTOCOL
from waiting import equal, raises

TEXT = {'content_type': 'text/plain'}
BINARY = {'content_type': 'application/octet-stream'}
USER = 'ada é?'

# The four targets of messages: all reach Ada, and only one reaches all clients.
TARGETS = {
    'all': ('send_to_all', lambda ada: {}),
    'user': ('send_to_user', lambda ada: {'user_id': USER}),
    'connection': ('send_to_connection', lambda ada: {'connection_id': ada.id}),
    'group': ('send_to_group', lambda ada: {'group': 'a group'}),
}
# Message type: sent and expected data.
MESSAGES = {
    'text': [('plain é', TEXT, 'text', 'plain é'), ('', TEXT, 'text', '')],
    'JSON': [
        ({'deep': [1, None, {'é': True}]}, {}, 'json', {'deep': [1, None, {'é': True}]}),
        ('a string', {'content_type': 'application/json'}, 'json', 'a string'),
        (1.5, {}, 'json', 1.5),
    ],
    'binary': [(lambda: b'\x00\xff\n', BINARY, 'binary', 'AP8K'), (lambda: io.BytesIO(b'\x01'), BINARY, 'binary', 'AQ==')],
}


def sending(scene, target, ada):
    """Sends to this target."""
    method, address = TARGETS[target]
    return lambda message, **options: getattr(scene.service, method)(message=message, **address(ada), **options)


def ada_listens(scene, *how):
    return scene.listen(*how, user_id=USER, groups=['a group'])


def operations(operation):
    for target in TARGETS:
        for kind in MESSAGES:
            sends(operation, target, kind)
        expires(operation, target)
    for target in ['all', 'user', 'group']:
        filters(operation, target)
    for target in ['all', 'group']:
        excludes(operation, target)


def sends(operation, target, kind):
    @operation(f'send to {target}: {kind}', TARGETS[target][0])
    def _(scene):
        ada, other = ada_listens(scene), scene.listen(user_id='bob')
        send = sending(scene, target, ada)
        for message, options, data_type, data in MESSAGES[kind]:
            message = message() if callable(message) else message
            if scene.face.is_asynchronous and kind == 'text':
                # The asynchronous SDK sends as many bytes as the text has characters, too few beyond ASCII.
                message = message.encode()
            send(message, **options)
            frame = ada.next()
            equal((frame['type'], frame['from']), ('message', 'group' if target == 'group' else 'server'))
            equal(frame.get('group'), 'a group' if target == 'group' else None)
            equal((frame['dataType'], frame['data']), (data_type, data))
        heard_by_other = scene.heard_by(ada, other)[1]
        equal(len(heard_by_other), len(MESSAGES[kind]) if target == 'all' else 0)


def expires(operation, target):
    # The SDK has no option for it, but passes query parameters on.
    @operation(f'send to {target}: message TTL', TARGETS[target][0])
    def _(scene):
        ada = ada_listens(scene, RELIABLE_PROTOCOL)
        send = sending(scene, target, ada)
        live = lambda seconds: {**TEXT, 'params': {'messageTtlSeconds': seconds}}
        send('in time', **live(300))
        equal(ada.next()['data'], 'in time')
        ada.drop()
        send('too late', **live(1))
        send('kept', **live(0))
        # The test requires a real delay.
        time.sleep(1.2)
        back = ada.recovered()
        heard = back.next()['data']
        equal(back.next()['data'] if heard == 'in time' else heard, 'kept')
        back.drop()
        raises(lambda: send('x', **live(301)), status=400)


def filters(operation, target):
    @operation(f'send to {target}: filter', TARGETS[target][0])
    def _(scene):
        one = scene.listen(user_id=USER, groups=['a group', 'vip'])
        two = ada_listens(scene)
        send = sending(scene, target, one)
        send('for one', filter="'vip' in groups", **TEXT)
        send('for two', filter=f"connectionId eq '{two.id}'", **TEXT)
        send('for both', filter="userId ne null and userId ne 'o''neil'", **TEXT)
        equal(scene.heard_by(one, two), [['for one', 'for both'], ['for two', 'for both']])
        raises(lambda: send('x', filter='userId lt 1', **TEXT), status=400)


def excludes(operation, target):
    @operation(f'send to {target}: excluded connections', TARGETS[target][0])
    def _(scene):
        listeners = [ada_listens(scene) for _ in range(3)]
        sending(scene, target, listeners[0])('for the first', excluded=[other.id for other in listeners[1:]], **TEXT)
        equal(scene.heard_by(*listeners), [['for the first'], [], []])
