// Client without an SDK, which receives the frames of the service unchanged.

const WebSocket = require("ws");
const { Queue } = require("./queue.js");

const JSON_PROTOCOL = "json.webpubsub.azure.v1";
const RELIABLE_PROTOCOL = "json.reliable.webpubsub.azure.v1";

/** WebSocket with its received frames. */
class Listener {
  frames = new Queue();
  #ackId = 0;

  /** Opens a WebSocket. Fails with the HTTP status if the service refuses it. */
  static async open(url, subprotocols = [JSON_PROTOCOL], headers = {}) {
    const listener = new Listener();
    listener.url = url;
    listener.socket = new WebSocket(url, subprotocols, { headers });
    listener.closed = new Promise((resolve) => {
      listener.socket.on("close", (code, words) => resolve({ code, reason: String(words) }));
    });
    listener.socket.on("message", (data, isBinary) => {
      if (isBinary) listener.frames.push(data);
      else listener.frames.push(listener.subprotocol.endsWith("webpubsub.azure.v1") ? JSON.parse(data) : String(data));
    });
    await new Promise((resolve, reject) => {
      listener.socket.on("open", resolve);
      listener.socket.on("error", reject);
      listener.socket.on("unexpected-response", (_, answer) => {
        reject(Object.assign(new Error(`the service answered ${answer.statusCode}`), { status: answer.statusCode }));
      });
    });
    return listener;
  }

  /** Opens a WebSocket, and waits for the `connected` event. */
  static async greeted(...how) {
    const listener = await Listener.open(...how);
    listener.greeting = await listener.frames.next();
    listener.id = listener.greeting.connectionId;
    return listener;
  }

  get subprotocol() {
    return this.socket.protocol;
  }

  send(frame) {
    this.socket.send(typeof frame === "object" && !Buffer.isBuffer(frame) ? JSON.stringify(frame) : frame);
  }

  /** Sends a request. Returns its ack. Other frames before the ack are dropped. */
  async ask(request) {
    const ackId = ++this.#ackId;
    this.send({ ...request, ackId });
    return this.frames.until((frame) => frame.type === "ack" && frame.ackId === ackId);
  }

  /** Sends a request. Returns whether it succeeds. */
  async may(request) {
    return (await this.ask(request)).success;
  }

  /** Returns the messages before the text `end`. */
  async untilEnd() {
    const heard = [];
    for (;;) {
      const frame = await this.frames.next();
      if (frame.data === "end") return heard;
      heard.push(frame.data);
    }
  }

  /** Drops the connection without a close frame. */
  drop() {
    this.socket.terminate();
    return this.closed;
  }

  /** Recovers the connection with its reconnection token. */
  recovered() {
    const url = new URL(this.url);
    url.searchParams.set("awps_connection_id", this.id);
    url.searchParams.set("awps_reconnection_token", this.greeting.reconnectionToken);
    return Listener.greeted(url.toString(), [RELIABLE_PROTOCOL]);
  }
}

module.exports = { Listener, JSON_PROTOCOL, RELIABLE_PROTOCOL };
