// One official JavaScript client that sends messages, each acknowledged, and hears each of them.
//
// usage: node client.js NEGOTIATE_URL plain|reliable MESSAGES
// Prints `measured SECONDS CPU_SECONDS`.

const { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = require("@azure/web-pubsub-client");

// As many as our client has on their way at once.
const WINDOW = 256;
const MESSAGE_BYTES = 100;
const [negotiateUrl, form, count] = process.argv.slice(2);
const messages = Number(count);

(async () => {
  const getClientAccessUrl = async () => (await (await fetch(negotiateUrl)).json()).url;
  const protocol = form === "plain" ? WebPubSubJsonProtocol() : WebPubSubJsonReliableProtocol();
  const client = new WebPubSubClient({ getClientAccessUrl }, { protocol });
  let heard = 0;
  const all = new Promise((done) =>
    client.on("group-message", () => {
      heard += 1;
      if (heard === messages) done();
    }),
  );
  await client.start();
  await client.joinGroup("stream");
  const before = process.cpuUsage();
  const began = performance.now();
  let left = messages;
  const send = async () => {
    while (left > 0) {
      left -= 1;
      await client.sendToGroup("stream", "x".repeat(MESSAGE_BYTES), "text");
    }
  };
  await Promise.all([all, ...Array.from({ length: WINDOW }, send)]);
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(before);
  console.log(`measured ${seconds} ${(used.user + used.system) / 1e6}`);
  client.stop();
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
