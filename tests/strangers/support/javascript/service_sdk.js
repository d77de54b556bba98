// Helpers of the service SDK's tests.

const { WebPubSubServiceClient } = require("@azure/web-pubsub");
const { INSECURE } = require("./scene.js");
const { methodsOf } = require("./methods.js");

const SDK = "@azure/web-pubsub";

function methods() {
  const service = new WebPubSubServiceClient("Endpoint=http://localhost;AccessKey=key;", "hub", INSECURE);
  return [...methodsOf(service), ...methodsOf(service.group("group"), "group."), "odata"];
}

module.exports = { SDK, methods };
