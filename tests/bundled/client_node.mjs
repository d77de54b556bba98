// The client outside of browsers. Node.js before 22 has no built-in WebSocket.
import { readFile } from "node:fs/promises";
import WebSocket from "ws";
import init, { WebPubSubClient } from "webpubsub-client";

globalThis.WebSocket ??= WebSocket;
const module = new URL(import.meta.resolve("webpubsub-client/webpubsub-client_bg.wasm"));
await init({ module_or_path: await readFile(module) });
const client = new WebPubSubClient(process.argv[2], { groups: ["stream"] });
const heard = new Promise((done) => client.on("group-message", ({ message }) => done(message.data)));
const stopped = new Promise((done) => client.on("stopped", done));
await client.start();
await client.sendToGroup("stream", { hello: "node" }, "json");
console.log(JSON.stringify(await heard));
client.stop();
await stopped;
