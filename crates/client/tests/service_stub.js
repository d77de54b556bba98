// A service in place of the browser's `WebSocket` and `fetch`: it greets, acknowledges, and sends the messages of a group back to its
// members. `serviceStub.log` has the requests, `serviceStub.refused` a group that it refuses.
const stub = { log: [], refused: "closed", sockets: [] };

class StubSocket {
  static OPEN = 1;
  bufferedAmount = 0;
  groups = new Set();

  constructor(url, protocols) {
    this.protocol = "json.webpubsub.azure.v1";
    stub.log.push(`open ${new URL(url).pathname} ${protocols.includes(this.protocol)}`);
    stub.sockets.push(this);
    setTimeout(() => {
      this.onopen?.(new Event("open"));
      this.emit({ type: "system", event: "connected", userId: "ada", connectionId: "c1" });
    });
  }

  emit(message) {
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  send(frame) {
    const { type, group, ackId, data, noEcho } = JSON.parse(frame);
    if (type === "ping") return this.emit({ type: "pong" });
    stub.log.push(`${type} ${group}`);
    const isRefused = group === stub.refused;
    const error = isRefused ? { name: "Forbidden", message: "the group is closed" } : undefined;
    setTimeout(() => {
      if (type === "joinGroup" && !isRefused) this.groups.add(group);
      if (type === "leaveGroup") this.groups.delete(group);
      if (type === "sendToGroup" && !noEcho && this.groups.has(group)) {
        this.emit({ type: "message", from: "group", group, dataType: "text", data, fromUserId: "ada" });
      }
      if (ackId !== undefined) this.emit({ type: "ack", ackId, success: !isRefused, error });
    });
  }

  close(code) {
    stub.log.push(`close ${code}`);
  }
}

globalThis.WebSocket = StubSocket;
globalThis.fetch = async (request) => {
  stub.log.push(`negotiate ${request.headers.get("authorization")}`);
  return Response.json({ url: "ws://stub/client/hubs/chat" });
};
globalThis.serviceStub = stub;
