// Calls one method of the official JavaScript service SDK.
//
// usage: node service_sdk.js CONNECTION_STRING METHOD ARGUMENTS
// METHOD is a method of the hub, or `group:NAME:METHOD`; ARGUMENTS is a JSON array. Prints the result as JSON.

const { WebPubSubServiceClient } = require("@azure/web-pubsub");

const [connectionString, method, args] = process.argv.slice(2);
const hub = new WebPubSubServiceClient(connectionString, "stream", { allowInsecureConnection: true });

(async () => {
  const [kind, name, groupMethod] = method.split(":");
  const target = kind === "group" ? hub.group(name) : hub;
  let result = await target[kind === "group" ? groupMethod : method](...JSON.parse(args));
  if (result && result[Symbol.asyncIterator]) {
    const items = [];
    for await (const item of result) items.push(item);
    result = items;
  }
  console.log(JSON.stringify(result ?? null));
})().catch((error) => {
  console.error(String(error), error.statusCode ?? "");
  process.exit(1);
});
