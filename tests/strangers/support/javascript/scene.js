// Fixture of an operation: a separate hub with its clients.

const { WebPubSubServiceClient } = require("@azure/web-pubsub");
const { WebPubSubClient } = require("@azure/web-pubsub-client");
const { WebPubSubEventHandler } = require("@azure/web-pubsub-express");
const { Listener } = require("./listener.js");
const { Queue } = require("./queue.js");
const { Way } = require("./way.js");

/** Options for a service without TLS. */
const INSECURE = { allowInsecureConnection: true };
const EVENTS = ["connected", "disconnected", "stopped", "server-message", "group-message", "rejoin-group-failed"];

/** Client of the client SDK, with its events. */
class Watched {
  constructor(client) {
    this.client = client;
    this.told = Object.fromEntries(EVENTS.map((event) => [event, new Queue()]));
    for (const event of EVENTS) client.on(event, (words) => this.told[event].push(words));
  }

  /** Returns the next message of a group or of the server. */
  async hears(from = "group") {
    return (await this.told[`${from}-message`].next()).message;
  }

  /** Returns the data of the group messages before the text `end`. */
  async untilEnd() {
    const heard = [];
    for (;;) {
      const { data } = await this.hears();
      if (data === "end") return heard;
      heard.push(data);
    }
  }
}

class Scene {
  #leaving = [];

  constructor(servers, hub) {
    this.servers = servers;
    this.hub = hub;
    this.connectionString = servers.plain;
  }

  /** Switches to the server with event handlers, and registers this one for the hub. */
  handlesEvents(options, hub = this.hub) {
    this.connectionString = this.servers.answering;
    const handler = new WebPubSubEventHandler(hub, options);
    this.servers.application.use(handler.getMiddleware());
    return handler;
  }

  get endpoint() {
    return /Endpoint=([^;]*)/.exec(this.connectionString)[1];
  }

  get key() {
    return /AccessKey=([^;]*)/.exec(this.connectionString)[1];
  }

  /** Returns the service SDK for this hub. */
  get service() {
    return new WebPubSubServiceClient(this.connectionString, this.hub, INSECURE);
  }

  /** Registers an object to close at the end. */
  leaving(leave) {
    this.#leaving.push(leave);
  }

  async url(token = {}) {
    return (await this.service.getClientAccessToken(token)).url;
  }

  /** Connects a client without an SDK, with these token claims. */
  async listen(token = {}, subprotocols = undefined) {
    const listener = await Listener.greeted(await this.url(token), subprotocols);
    this.leaving(() => listener.socket.terminate());
    return listener;
  }

  /** Sends `end` to all clients. Returns the messages that each received before. */
  async heardBy(...listeners) {
    await this.service.sendToAll("end", { contentType: "text/plain" });
    return Promise.all(listeners.map((listener) => listener.untilEnd()));
  }

  /** Creates a client of the client SDK with the given credential. */
  watch(credential, options = {}) {
    const watched = new Watched(new WebPubSubClient(credential, { messageRetryOptions: { maxRetries: 0 }, ...options }));
    this.leaving(() => watched.client.stop());
    return watched;
  }

  /** Starts a client of the client SDK with these token claims. */
  async client(token = {}, options = {}) {
    const watched = this.watch({ getClientAccessUrl: () => this.url(token) }, options);
    await watched.client.start();
    Object.assign(watched, await watched.told.connected.next());
    return watched;
  }

  /** Starts a client through a proxy whose connections can be dropped. */
  async clientOnAWay(token = {}, options = {}) {
    const way = await Way.to(this.endpoint);
    this.leaving(() => way.close());
    const watched = this.watch({ getClientAccessUrl: async () => way.url(await this.url(token)) }, options);
    await watched.client.start();
    Object.assign(watched, await watched.told.connected.next());
    return [watched, way];
  }

  close() {
    for (const leave of this.#leaving.reverse()) leave();
  }
}

module.exports = { Scene, INSECURE };
