// What an operation plays in: a hub of its own, and those who listen there.

const { WebPubSubServiceClient } = require("@azure/web-pubsub");
const { WebPubSubClient } = require("@azure/web-pubsub-client");
const { WebPubSubEventHandler } = require("@azure/web-pubsub-express");
const { Listener } = require("./listener.js");
const { Queue } = require("./queue.js");
const { Way } = require("./way.js");

/** The options that a service without TLS needs. */
const INSECURE = { allowInsecureConnection: true };
const EVENTS = ["connected", "disconnected", "stopped", "server-message", "group-message", "rejoin-group-failed"];

/** A client of the client SDK, and what it tells. */
class Watched {
  constructor(client) {
    this.client = client;
    this.told = Object.fromEntries(EVENTS.map((event) => [event, new Queue()]));
    for (const event of EVENTS) client.on(event, (words) => this.told[event].push(words));
  }

  /** What it hears of groups, or of the server, next. */
  async hears(from = "group") {
    return (await this.told[`${from}-message`].next()).message;
  }

  /** The data of the next group messages up to the text `end`. */
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

  /** Moves to the server that asks event handlers, with this one for its hub. */
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

  /** The service SDK, on this hub. */
  get service() {
    return new WebPubSubServiceClient(this.connectionString, this.hub, INSECURE);
  }

  /** Whatever is to be closed at the end. */
  leaving(leave) {
    this.#leaving.push(leave);
  }

  async url(token = {}) {
    return (await this.service.getClientAccessToken(token)).url;
  }

  /** A client without an SDK, whose token says this. */
  async listen(token = {}, subprotocols = undefined) {
    const listener = await Listener.greeted(await this.url(token), subprotocols);
    this.leaving(() => listener.socket.terminate());
    return listener;
  }

  /** Says `end` to everybody; gives what each of them has heard before that. */
  async heardBy(...listeners) {
    await this.service.sendToAll("end", { contentType: "text/plain" });
    return Promise.all(listeners.map((listener) => listener.untilEnd()));
  }

  /** A client of the client SDK with a credential of the caller's. */
  watch(credential, options = {}) {
    const watched = new Watched(new WebPubSubClient(credential, { messageRetryOptions: { maxRetries: 0 }, ...options }));
    this.leaving(() => watched.client.stop());
    return watched;
  }

  /** The same, started, with a token that says this. */
  async client(token = {}, options = {}) {
    const watched = this.watch({ getClientAccessUrl: () => this.url(token) }, options);
    await watched.client.start();
    Object.assign(watched, await watched.told.connected.next());
    return watched;
  }

  /** The same, by a way that can be cut. */
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
