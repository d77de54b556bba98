// Official JavaScript client: joins the group `stream` and prints its events, one JSON array per line.
//
// usage: node client_sdk.js NEGOTIATE_URL SUBPROTOCOL
// Each line of standard input is published to the group as text, and the outcome is printed.

const { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = require("@azure/web-pubsub-client");
const readline = require("node:readline");

const [negotiateUrl, subprotocol] = process.argv.slice(2);
const tell = (...words) => console.log(JSON.stringify(words));

const getClientAccessUrl = async () => (await (await fetch(negotiateUrl)).json()).url;
const protocol = subprotocol === "json" ? WebPubSubJsonProtocol() : WebPubSubJsonReliableProtocol();
const client = new WebPubSubClient({ getClientAccessUrl }, { protocol });

client.on("connected", (event) => tell("connected", event.connectionId, event.userId ?? null));
client.on("disconnected", (event) => tell("disconnected", event.connectionId));
client.on("stopped", () => tell("stopped"));
client.on("group-message", (event) => tell("message", event.message.group, event.message.data));
client.on("server-message", (event) => tell("server", event.message.data));

(async () => {
  await client.start();
  await client.joinGroup("stream");
  tell("joined");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await client.sendToGroup("stream", line, "text");
    tell("sent", line);
  }
  client.stop();
})().catch((error) => {
  tell("failed", String(error));
  process.exit(1);
});
