// TCP proxy to the service whose connections can be dropped.

const net = require("node:net");

/** TCP proxy to one server. */
class Way {
  #sockets = new Set();
  #isBlocked = false;

  /** Starts a proxy to the server at this URL. */
  static async to(endpoint) {
    const way = new Way();
    const { hostname, port } = new URL(endpoint);
    way.server = net.createServer((client) => {
      if (way.#isBlocked) return client.destroy();
      const service = net.connect(Number(port), hostname);
      for (const [from, to] of [[client, service], [service, client]]) {
        way.#sockets.add(from);
        from.pipe(to);
        from.on("error", () => {});
        from.on("close", () => {
          way.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise((resolve) => way.server.listen(0, "127.0.0.1", resolve));
    way.address = `127.0.0.1:${way.server.address().port}`;
    return way;
  }

  /** Returns the URL through the proxy. */
  url(url) {
    const moved = new URL(url);
    moved.host = this.address;
    return moved.toString();
  }

  /** Drops all current connections. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Drops all current connections, and refuses new ones until `unblock`. */
  block() {
    this.#isBlocked = true;
    this.cut();
  }

  unblock() {
    this.#isBlocked = false;
  }

  close() {
    this.server.close();
    this.cut();
  }
}

module.exports = { Way };
