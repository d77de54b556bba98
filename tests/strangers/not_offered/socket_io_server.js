// A Socket.IO server with the vendor's extension, which connects to the service and retries for ever.
//
// usage: node socket_io_server.js CONNECTION_STRING

const { Server } = require("socket.io");
const { useAzureSocketIO } = require("@azure/web-pubsub-socket.io");

useAzureSocketIO(new Server(0), { hub: "eio_hub", connectionString: process.argv[2] });
