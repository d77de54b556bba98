"""Service SDK: membership of groups."""

from waiting import equal, raises


def members(scene, group, *listeners):
    """Returns the members of the group among these clients: those that receive a message to it."""
    scene.tell(group, 'here?')
    return ['here?' in heard for heard in scene.heard_by(*listeners)]


def inhabit(scene):
    """Adds three users and an anonymous client to a group. Returns them in the format of the service's list."""
    names = ['ada', 'bob', 'eve é', None]
    return sorted((scene.listen(user_id=name, groups=['g']).id, name) for name in names)


def flat(listed):
    return [(member.connection_id, member.user_id) for member in listed]


def operations(operation):
    @operation('add connection to group', 'add_connection_to_group')
    def _(scene):
        one, two = scene.listen(), scene.listen()
        scene.service.add_connection_to_group(group='a b', connection_id=one.id)
        equal(members(scene, 'a b', one, two), [True, False])
        raises(lambda: scene.service.add_connection_to_group(group='a b', connection_id='nobody'), status=404)

    @operation('remove connection from group', 'remove_connection_from_group')
    def _(scene):
        one, two = scene.listen(groups=['a b']), scene.listen(groups=['a b'])
        scene.service.remove_connection_from_group(group='a b', connection_id=one.id)
        equal(members(scene, 'a b', one, two), [False, True])
        scene.service.remove_connection_from_group(group='a b', connection_id='nobody')

    @operation('add user to group', 'add_user_to_group')
    def _(scene):
        one, two, three = scene.listen(user_id='ada'), scene.listen(user_id='ada'), scene.listen()
        scene.service.add_user_to_group(group='g', user_id='ada')
        equal(members(scene, 'g', one, two, three), [True, True, False])
        raises(lambda: scene.service.add_user_to_group(group='g', user_id='nobody'), status=404)

    @operation('remove user from group', 'remove_user_from_group')
    def _(scene):
        one, two = scene.listen(user_id='ada', groups=['g']), scene.listen(groups=['g'])
        scene.service.remove_user_from_group(group='g', user_id='ada')
        equal(members(scene, 'g', one, two), [False, True])
        scene.service.remove_user_from_group(group='g', user_id='nobody')

    @operation('remove connection from all groups', 'remove_connection_from_all_groups')
    def _(scene):
        one, two = scene.listen(groups=['g', 'h']), scene.listen(groups=['g', 'h'])
        scene.service.remove_connection_from_all_groups(connection_id=one.id)
        equal([members(scene, group, one, two) for group in 'gh'], [[False, True]] * 2)

    @operation('remove user from all groups', 'remove_user_from_all_groups')
    def _(scene):
        one, two = scene.listen(user_id='ada', groups=['g', 'h']), scene.listen(groups=['g', 'h'])
        scene.service.remove_user_from_all_groups(user_id='ada')
        equal([members(scene, group, one, two) for group in 'gh'], [[False, True]] * 2)

    @operation('list connections of group: all', 'list_connections')
    def _(scene):
        expected = inhabit(scene)
        equal(flat(scene.face.items(scene.service.list_connections(group='g'))), expected)
        equal(scene.face.items(scene.service.list_connections(group='nowhere')), [])

    @operation('list connections of group: pages', 'list_connections')
    def _(scene):
        expected = inhabit(scene)
        pages = scene.face.pages(scene.service.list_connections(group='g', maxpagesize=3))
        equal([len(page) for page in pages], [3, 1])
        equal([member for page in pages for member in flat(page)], expected)

    @operation('list connections of group: limit', 'list_connections')
    def _(scene):
        expected = inhabit(scene)
        listed = scene.service.list_connections(group='g', top=3, maxpagesize=2)
        equal(flat(scene.face.items(listed)), expected[:3])

    @operation('list connections of group: continuation token', 'list_connections')
    def _(scene):
        expected = inhabit(scene)
        links = []
        note = lambda answer: links.append(answer.http_response.json().get('nextLink'))
        list_connections = scene.service.list_connections
        scene.face.pages(list_connections(group='g', maxpagesize=3, raw_response_hook=note))
        # The SDK continues at the link of the service.
        pages = scene.face.pages(list_connections(group='g', maxpagesize=3), continuation_token=links[0])
        equal([member for page in pages for member in flat(page)], expected[3:])
