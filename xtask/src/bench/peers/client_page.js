// Clients in one page that send messages, each acknowledged, and hear each of them.
//
// `measure(client, form, messages)` gives the seconds that it took.

import initialise, { WebPubSubClient as OurClient } from "./ours/webpubsub-client.js";
import { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from "./theirs.js";

// As many as our client has on their way at once.
const WINDOW = 256;
const MESSAGE_BYTES = 100;
const GROUP = "stream";
const negotiateUrl = new URL("/negotiate", location.href).href;

async function theirs(form) {
  const getClientAccessUrl = async () => (await (await fetch(negotiateUrl)).json()).url;
  const protocol = form === "plain" ? WebPubSubJsonProtocol() : WebPubSubJsonReliableProtocol();
  return new WebPubSubClient({ getClientAccessUrl }, { protocol });
}

async function ours(form) {
  await initialise();
  return new OurClient(negotiateUrl, { protocol: form });
}

window.measure = async (which, form, messages) => {
  const client = await (which === "ours" ? ours : theirs)(form);
  let heard = 0;
  const all = new Promise((done) =>
    client.on("group-message", () => {
      heard += 1;
      if (heard === messages) done();
    }),
  );
  await client.start();
  await client.joinGroup(GROUP);
  const text = "x".repeat(MESSAGE_BYTES);
  const began = performance.now();
  let left = messages;
  const send = async () => {
    while (left > 0) {
      left -= 1;
      await client.sendToGroup(GROUP, text, "text");
    }
  };
  await Promise.all([all, ...Array.from({ length: WINDOW }, send)]);
  const seconds = (performance.now() - began) / 1000;
  client.stop();
  return seconds;
};
window.isReady = true;
