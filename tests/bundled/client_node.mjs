// The client outside of browsers. Node.js before 22 has no built-in WebSocket: the package `ws` is used there.
import { WebPubSubClient } from "webpubsub-client";

const client = new WebPubSubClient(process.argv[2], { groups: ["stream"] });
const heard = new Promise((done) => client.on("group-message", ({ message }) => done(message.data)));
const stopped = new Promise((done) => client.on("stopped", done));
await client.start();
await client.sendToGroup("stream", { hello: "node" }, "json");
console.log(JSON.stringify(await heard));
client.stop();
await stopped;
