// Subprotocols. The core reads and writes frames itself; an object names the subprotocol only.

import { invalid } from "./errors.js";

const SUFFIX = ".webpubsub.azure.v1";

function notOffered() {
  throw new Error("the client reads and writes frames itself: a protocol object names the subprotocol only");
}

function protocol(name, isReliableSubProtocol) {
  return { name: `${name}${SUFFIX}`, isReliableSubProtocol, parseMessages: notOffered, writeMessage: notOffered };
}

export const WebPubSubJsonProtocol = () => protocol("json", false);
export const WebPubSubJsonReliableProtocol = () => protocol("json.reliable", true);
export const WebPubSubProtobufProtocol = () => protocol("protobuf", false);
export const WebPubSubProtobufReliableProtocol = () => protocol("protobuf.reliable", true);

const NAMES = ["json.reliable", "json", "protobuf.reliable", "protobuf"];

/** Returns the name of a subprotocol, which is given as a name or as an object of this or the official package. */
export function protocolName(given) {
  if (given === undefined || given === null) return undefined;
  const text = typeof given === "string" ? given : given.name;
  const name = typeof text === "string" && text.endsWith(SUFFIX) ? text.slice(0, -SUFFIX.length) : text;
  if (NAMES.includes(name)) return name;
  throw invalid(`\`protocol\` must be ${NAMES.map((name) => `"${name}"`).join(", ")}, or an object with such a name`);
}
