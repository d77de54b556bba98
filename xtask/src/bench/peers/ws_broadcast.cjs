// A peer of the hub's benchmark: `ws` hands every message to all other clients, as its documentation shows.
"use strict";
const { WebSocket, WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false });
server.on("connection", (sender) => {
  sender.on("message", (message, isBinary) => {
    for (const client of server.clients) {
      if (client !== sender && client.readyState === WebSocket.OPEN) client.send(message, { binary: isBinary });
    }
  });
});
