// Helpers of the client SDK's tests.

const { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = require("@azure/web-pubsub-client");
const { methodsOf } = require("./methods.js");

const SDK = "@azure/web-pubsub-client";
const PROTOCOLS = { JSON: WebPubSubJsonProtocol, "reliable JSON": WebPubSubJsonReliableProtocol };
/** Roles with all permissions in all groups. */
const MASTER = { roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"] };

/** Methods of the client, of its results, and the protocols. */
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

/** Runs an operation in both subprotocols, with separate hubs. */
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
