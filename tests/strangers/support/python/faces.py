"""Blocking and asynchronous interfaces of the SDKs. One test suite covers both, so asynchronous calls are
awaited on a separate event loop."""

import asyncio
import inspect
import threading
import time
from importlib.metadata import version

import azure.messaging.webpubsubclient as client
import azure.messaging.webpubsubclient.aio as client_aio
import azure.messaging.webpubsubservice as service
import azure.messaging.webpubsubservice.aio as service_aio
from azure.core.credentials import AccessToken

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()


def wait_for(work):
    """Runs a coroutine until it completes."""
    return asyncio.run_coroutine_threadsafe(work, _loop).result()


async def _collected(items):
    return [await _collected(item) if hasattr(item, '__aiter__') else item async for item in items]


class Awaited:
    """Blocking wrapper of an asynchronous object."""

    def __init__(self, target):
        self._target = target
        self._coroutines = {}

    def __getattr__(self, name):
        method = getattr(self._target, name)

        def call(*positional, **named):
            async def called():
                result = method(*positional, **named)
                return await result if inspect.isawaitable(result) else result

            return wait_for(called())

        return call

    def _coroutine(self, listener):
        """Converts callbacks to coroutines."""

        async def told(*words):
            listener(*words)

        return self._coroutines.setdefault(listener, told)

    def subscribe(self, event, listener):
        wait_for(self._target.subscribe(event, self._coroutine(listener)))

    def unsubscribe(self, event, listener):
        wait_for(self._target.unsubscribe(event, self._coroutine(listener)))

    def __enter__(self):
        wait_for(self._target.__aenter__())
        return self

    def __exit__(self, *why):
        wait_for(self._target.__aexit__(*why))


class Face:
    """Interface of an SDK."""

    def __init__(self, name, module, classes, is_asynchronous):
        self.name = name
        self.version = version(name.split(',')[0])
        self._module = module
        self._classes = classes
        self.is_asynchronous = is_asynchronous

    def methods(self):
        """Returns the public methods, by reflection."""
        found = []
        for name in self._classes:
            its = getattr(self._module, name)
            found += [method for method in dir(its) if not method.startswith('_') and callable(getattr(its, method))]
        return sorted(found)

    def make(self, name, *positional, **named):
        """Creates an object of a class; `Class.method` uses a class method."""
        maker = self._module
        for part in name.split('.'):
            maker = getattr(maker, part)
        if not self.is_asynchronous:
            return maker(*positional, **named)

        async def made():
            return maker(*positional, **named)

        return Awaited(wait_for(made()))

    def credential(self, provider):
        """Creates the credential of a client."""
        if not self.is_asynchronous or isinstance(provider, str):
            return self._module.WebPubSubClientCredential(provider)

        async def provided():
            return await asyncio.get_running_loop().run_in_executor(None, provider)

        return self._module.WebPubSubClientCredential(provided)

    def bearer(self, text):
        """Creates a credential of the service with this token."""
        token = AccessToken(text, int(time.time()) + 600)

        class Blocking:
            def get_token(self, *scopes, **options):
                return token

        class Asynchronous:
            async def get_token(self, *scopes, **options):
                return token

        return Asynchronous() if self.is_asynchronous else Blocking()

    def items(self, paged):
        """Returns all listed items."""
        return wait_for(_collected(paged)) if self.is_asynchronous else list(paged)

    def pages(self, paged, continuation_token=None):
        """Returns the listed items by page."""
        pages = paged.by_page(continuation_token=continuation_token)
        return wait_for(_collected(pages)) if self.is_asynchronous else [list(page) for page in pages]


_SERVICE, _CLIENT = ['WebPubSubServiceClient'], ['WebPubSubClient', 'WebPubSubClientCredential']
BLOCKING_SERVICE = Face('azure-messaging-webpubsubservice', service, _SERVICE, False)
SERVICES = [BLOCKING_SERVICE, Face('azure-messaging-webpubsubservice, aio', service_aio, _SERVICE, True)]
CLIENTS = [
    Face('azure-messaging-webpubsubclient', client, _CLIENT, False),
    Face('azure-messaging-webpubsubclient, aio', client_aio, _CLIENT, True),
]
