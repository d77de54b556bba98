"""The service SDK makes tokens for clients, and itself gets in."""

import base64
import json
import time

import jwt
from azure.core.credentials import AzureKeyCredential
from azure.core.rest import HttpRequest

from listener import JSON_PROTOCOL, Listener
from waiting import equal, raises

VERSIONS = ['2021-10-01', '2022-11-01', '2023-07-01', '2024-01-01', '2024-12-01']


def part(token, at):
    """Header or claims of a token."""
    text = token.split('.')[at]
    return json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))


def signed(scene):
    """A token to ask for tokens."""
    claims = {'aud': f'{scene.endpoint}/api/hubs/{scene.hub}/:generateToken', 'exp': int(time.time()) + 600}
    return jwt.encode(claims, scene.key, algorithm='HS256')


def operations(operation):
    tokens(operation)
    connecting(operation)


def tokens(operation):
    def token(what):
        return operation(f'client access token: {what}', 'get_client_access_token')

    @token('without options')
    def _(scene):
        token = scene.service.get_client_access_token()
        equal(token['baseUrl'], f'{scene.endpoint.replace("http", "ws")}/client/hubs/{scene.hub}')
        equal(token['url'], f'{token["baseUrl"]}?access_token={token["token"]}')
        listener = Listener.greeted(token['url'])
        equal(listener.greeting.get('userId'), None)
        equal(listener.may({'type': 'joinGroup', 'group': 'g'}), False)
        equal(listener.may({'type': 'sendToGroup', 'group': 'g', 'data': 1}), False)
        # The token counts as well when it comes in a header.
        other = Listener.greeted(token['baseUrl'], JSON_PROTOCOL, {'Authorization': f'Bearer {token["token"]}'})
        equal(scene.service.connection_exists(other.id), True)

    @token('user')
    def _(scene):
        listener = scene.listen(user_id='ada é/?')
        equal(listener.greeting['userId'], 'ada é/?')
        equal(scene.service.user_exists('ada é/?'), True)

    @token('roles')
    def _(scene):
        roles = ['webpubsub.joinLeaveGroup.room', 'webpubsub.sendToGroup.room.1', 'webpubsub.sendToGroups.chat.*']
        listener = scene.listen(roles=roles)
        joins = lambda group: listener.may({'type': 'joinGroup', 'group': group})
        sends = lambda group: listener.may({'type': 'sendToGroup', 'group': group, 'data': 1})
        equal([joins('room'), joins('other')], [True, False])
        equal([sends('room.1'), sends('room'), sends('chat.a')], [True, False, True])
        everything = scene.listen(roles=['webpubsub.joinLeaveGroup', 'webpubsub.sendToGroup'])
        equal(everything.may({'type': 'joinGroup', 'group': 'any'}), True)
        equal(everything.may({'type': 'sendToGroup', 'group': 'any', 'data': 1}), True)

    @token('groups')
    def _(scene):
        both, none = scene.listen(groups=['g', 'h']), scene.listen()
        scene.tell('g', 'to g')
        scene.tell('h', 'to h')
        equal(scene.heard_by(both, none), [['to g', 'to h'], []])

    @token('time to expire')
    def _(scene):
        claims = part(scene.service.get_client_access_token(minutes_to_expire=7)['token'], 1)
        equal(claims['exp'] - claims['iat'], 7 * 60)
        scene.listen(minutes_to_expire=7)
        # More than the five minutes that clocks may differ by.
        raises(lambda: scene.listen(minutes_to_expire=-6), status=401)

    @token('header members')
    def _(scene):
        equal(part(scene.service.get_client_access_token(jwt_headers={'kid': 'mine'})['token'], 0)['kid'], 'mine')
        scene.listen(jwt_headers={'kid': 'mine'})

    @token('made by the service')
    def _(scene):
        # With a token credential the SDK asks the service for the client's token. A credential of Microsoft Entra ID
        # there is not; this one brings what a key would have signed, and the SDK does not look into it.
        service = scene.service_by('WebPubSubServiceClient', scene.endpoint, credential=scene.face.bearer(signed(scene)))
        wanted = {'user_id': 'ada é', 'roles': ['webpubsub.joinLeaveGroup'], 'groups': ['g', 'h'], 'minutes_to_expire': 7}
        token = service.get_client_access_token(**wanted, enforce_https=False)
        claims = part(token['token'], 1)
        equal(claims['exp'] - claims['iat'], 7 * 60)
        listener = Listener.greeted(token['url'])
        equal(listener.greeting['userId'], 'ada é')
        equal(listener.may({'type': 'joinGroup', 'group': 'other'}), True)
        equal((scene.service.group_exists('g'), scene.service.group_exists('h')), (True, True))

    @token('for MQTT')
    def _(scene):
        Listener(scene.url(client_protocol='MQTT'), 'mqtt').drop()

    @token('for Socket.IO')
    def _(scene):
        token = scene.service.get_client_access_token(client_protocol='SocketIO')
        Listener(f'{token["baseUrl"]}/?EIO=4&transport=websocket&access_token={token["token"]}').drop()


def connecting(operation):
    @operation('service client: connection string', 'from_connection_string')
    def _(scene):
        listener = scene.listen()
        host, _, port = scene.endpoint.rpartition(':')
        for connection_string in [scene.connection_string, f'Endpoint={host};AccessKey={scene.key};Port={port};']:
            service = scene.service_by('WebPubSubServiceClient.from_connection_string', connection_string)
            service.send_to_all('by string', content_type='text/plain')
            equal(listener.next()['data'], 'by string')

    @operation('service client: endpoint and key')
    def _(scene):
        service = scene.service_by('WebPubSubServiceClient', scene.endpoint, credential=AzureKeyCredential(scene.key))
        listener = scene.listen()
        service.send_to_all('by key', content_type='text/plain')
        equal(listener.next()['data'], 'by key')
        wrong = AzureKeyCredential('wrong' * 8)
        wrong = scene.service_by('WebPubSubServiceClient', scene.endpoint, credential=wrong)
        raises(lambda: wrong.send_to_all('x'), status=401)

    @operation('service client: reverse proxy')
    def _(scene):
        # The SDK signs the address that it believes in, and asks at another.
        service = scene.service_by(
            'WebPubSubServiceClient',
            'http://cloud.example',
            credential=AzureKeyCredential(scene.key),
            reverse_proxy_endpoint=scene.endpoint,
        )
        listener = scene.listen()
        service.send_to_all('by proxy', content_type='text/plain', filter='userId eq null')
        equal(listener.next()['data'], 'by proxy')

    @operation('service client: name of the caller')
    def _(scene):
        credential = AzureKeyCredential(scene.key)
        service = scene.service_by('WebPubSubServiceClient', scene.endpoint, credential=credential, user='me')
        listener = scene.listen()
        service.send_to_all('by name', content_type='text/plain')
        equal(listener.next()['data'], 'by name')

    @operation('service client: every stable API version')
    def _(scene):
        listener = scene.listen()
        for version in VERSIONS:
            maker = 'WebPubSubServiceClient.from_connection_string'
            service = scene.service_by(maker, scene.connection_string, api_version=version)
            service.send_to_all(version, content_type='text/plain')
            equal(listener.next()['data'], version)
        unknown = scene.service_by(maker, scene.connection_string, api_version='2020-01-01')
        raises(lambda: unknown.send_to_all('x'), status=400)

    @operation('service client: requests of the program\'s own', 'send_request')
    def _(scene):
        listener = scene.listen()
        send_request = scene.service.send_request
        equal(send_request(HttpRequest('HEAD', f'{scene.endpoint}/api/health')).status_code, 200)
        url = f'{scene.endpoint}/api/hubs/{scene.hub}/:send?api-version=2024-12-01'
        equal(send_request(HttpRequest('POST', url, json={'a': 1})).status_code, 202)
        equal(listener.next()['data'], {'a': 1})

    @operation('service client: close', 'close')
    def _(scene):
        service = scene.face.make(
            'WebPubSubServiceClient.from_connection_string', scene.connection_string, hub=scene.hub
        )
        listener = scene.listen()
        with service:
            service.send_to_all('open', content_type='text/plain')
        equal(listener.next()['data'], 'open')
        service.close()
        raises(lambda: service.send_to_all('closed', content_type='text/plain'))
