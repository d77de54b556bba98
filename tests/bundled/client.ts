import { WebPubSubClient } from "webpubsub-client";

const client = new WebPubSubClient(new URLSearchParams(location.search).get("negotiate") ?? "", { groups: ["stream"] });
client.on("group-message", ({ message }) => console.log(message.group, message.data));
await client.start();
await client.sendToGroup("stream", { hello: "world" }, "json");
