"""Service SDK: connections and permissions."""

from waiting import equal, eventually, raises

FAREWELL = 'Application server closed the connection.'

EXISTENCE = {
    'connection': ('connection_exists', lambda listener: {'connection_id': listener.id}, {'connection_id': 'nobody'}),
    'user': ('user_exists', lambda _: {'user_id': 'ada é'}, {'user_id': 'nobody'}),
    'group': ('group_exists', lambda _: {'group': 'a group'}, {'group': 'nowhere'}),
}
CLOSING = {
    'close connection': ('close_connection', lambda listener: {'connection_id': listener.id}),
    'close connections of user': ('close_user_connections', lambda _: {'user_id': 'ada'}),
    'close connections of group': ('close_group_connections', lambda _: {'group': 'g'}),
    'close all connections': ('close_all_connections', lambda _: {}),
}
USES = {
    'sendToGroup': lambda listener, group: listener.may({'type': 'sendToGroup', 'group': group, 'data': 1}),
    'joinLeaveGroup': lambda listener, group: listener.may({'type': 'joinGroup', 'group': group}),
}


def is_closed(listener, reason=None):
    """Checks that the client receives the reason and a close frame."""
    message = FAREWELL if reason is None else f'{FAREWELL} Reason: {reason}'
    equal(listener.next(), {'type': 'system', 'event': 'disconnected', 'message': message})
    equal(listener.close_code(), 1000)


def operations(operation):
    for what in EXISTENCE:
        exists(operation, what)
    for what in CLOSING:
        closes(operation, what, 'without a reason', {})
        closes(operation, what, 'reason', {'reason': 'done & é'})
    for what in list(CLOSING)[1:]:
        spares(operation, what)
    for permission in USES:
        permits(operation, permission)
        refuses_without_a_group(operation, permission)


def exists(operation, what):
    method, here, elsewhere = EXISTENCE[what]

    @operation(f'{what} exists', method)
    def _(scene):
        listener = scene.listen(user_id='ada é', groups=['a group'])
        is_there = lambda: getattr(scene.service, method)(**here(listener))
        equal(is_there(), True)
        equal(getattr(scene.service, method)(**elsewhere), False)
        listener.ws.close()
        eventually(lambda: not is_there())


def closes(operation, what, how, options):
    method, target = CLOSING[what]

    @operation(f'{what}: {how}', method)
    def _(scene):
        ada, bob = scene.listen(user_id='ada', groups=['g']), scene.listen(user_id='bob')
        getattr(scene.service, method)(**target(ada), **options)
        is_closed(ada, **options)
        eventually(lambda: not scene.service.connection_exists(ada.id))
        if what == 'close all connections':
            is_closed(bob, **options)
        else:
            equal(scene.heard_by(bob), [[]])


def spares(operation, what):
    method, target = CLOSING[what]

    @operation(f'{what}: excluded connections', method)
    def _(scene):
        closed, spared = [scene.listen(user_id='ada', groups=['g']) for _ in range(2)]
        getattr(scene.service, method)(**target(closed), excluded=[spared.id])
        is_closed(closed)
        equal(scene.heard_by(spared), [[]])


def permits(operation, permission):
    name = f'grant, check and revoke permission: {permission}'
    options = {'target_name': 'a room'}

    @operation(name, 'grant_permission', 'has_permission', 'revoke_permission')
    def _(scene):
        listener = scene.listen()
        may = USES[permission]

        def agree(expected):
            """Checks that the reported permissions match the actual ones."""
            equal(scene.service.has_permission(permission, listener.id, **options), expected)
            equal(may(listener, 'a room'), expected)

        agree(False)
        scene.service.grant_permission(permission, listener.id, **options)
        agree(True)
        equal(may(listener, 'another'), False)
        scene.service.revoke_permission(permission, listener.id, **options)
        agree(False)
        equal(scene.service.has_permission(permission, 'nobody', **options), False)


def refuses_without_a_group(operation, permission):
    @operation(f'permission without a group is refused: {permission}', 'grant_permission', 'revoke_permission')
    def _(scene):
        listener = scene.listen()
        for method in (scene.service.grant_permission, scene.service.revoke_permission):
            raises(lambda: method(permission, listener.id), status=400)
        equal(USES[permission](listener, 'a room'), False)
