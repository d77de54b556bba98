// The package in Node.js: reads the WebAssembly from its file, and takes the WebSocket of the package `ws` where Node.js has none.

import { readFile } from "node:fs/promises";

import { setSource } from "./core-loader.js";
import { WebPubSubError } from "./errors.js";

setSource(async () => {
  await ensureWebSocket();
  return { module_or_path: await readFile(new URL("./core_bg.wasm", import.meta.url)) };
});

async function ensureWebSocket() {
  if (globalThis.WebSocket) return;
  try {
    globalThis.WebSocket = (await import("ws")).default;
  } catch {
    throw new WebPubSubError("Node.js before 22 has no WebSocket; run `npm install ws`", { code: "Unsupported" });
  }
}

export * from "./webpubsub-client.js";
export { default } from "./webpubsub-client.js";
