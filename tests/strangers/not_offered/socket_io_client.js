// Connects with a Socket.IO client as the vendor documents it, and prints the response to its first request.
//
// usage: node socket_io_client.js URL

const { io } = require("socket.io-client");

const socket = io(process.argv[2], { path: "/clients/socketio/hubs/eio_hub", reconnection: false });
socket.on("connect", () => process.exit(1));
socket.on("connect_error", ({ context }) => {
  console.log(context.responseText);
  process.exit(0);
});
