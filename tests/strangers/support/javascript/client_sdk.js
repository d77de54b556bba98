// What the suites of the client SDK have in common.

const { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = require("@azure/web-pubsub-client");
const { methodsOf } = require("./methods.js");

const SDK = "@azure/web-pubsub-client";
const PROTOCOLS = { JSON: WebPubSubJsonProtocol, "reliable JSON": WebPubSubJsonReliableProtocol };
/** May do everything in every group. */
const MASTER = { roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"] };

/** The methods of the client, of what it gives, and the protocols. */
function methods() {
  const client = new WebPubSubClient("ws://localhost");
  const subscription = client.onGroupStream(() => {});
  const writer = ["write", "end", "abort", "onError"].map((name) => `stream.${name}`);
  return [
    ...methodsOf(client),
    ...writer,
    ...methodsOf(subscription, "subscription.").filter((name) => /\.(close)$/.test(name)),
    "WebPubSubJsonProtocol",
    "WebPubSubJsonReliableProtocol",
  ];
}

/** Plays an operation in both subprotocols, on a hub for each. */
const inBoth = (act) => async (scene) => {
  for (const [name, protocol] of Object.entries(PROTOCOLS)) {
    scene.hub += "x";
    try {
      await act(scene, { protocol: protocol() });
    } catch (error) {
      error.message = `${name}: ${error.message}`;
      throw error;
    }
  }
};

module.exports = { SDK, MASTER, methods, inBoth };
