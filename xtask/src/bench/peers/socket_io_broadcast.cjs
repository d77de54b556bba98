// A peer of the hub's benchmark: socket.io hands every message to all other clients, over WebSocket alone.
"use strict";
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
server.on("connection", (sender) => sender.on("m", (message) => sender.broadcast.emit("m", message)));
http.listen(Number(process.argv[2]), "127.0.0.1");
