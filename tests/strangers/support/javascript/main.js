// Tests all operations of the official JavaScript SDKs, and prints the results.
//
// usage: node main.js
// 1. It prints {"handlers": URL}, the URL of the event handlers with the Express middleware.
// 2. It reads {"plain": CONNECTION_STRING, "answering": CONNECTION_STRING} from standard input: a service without
//    event handlers, and one that calls `URL/api/webpubsub/hubs/{hub}/`, and for the hub `elsewhere`
//    `URL/elsewhere/{event}`.
// 3. It prints {"sdk", "version", "methods"} for each SDK, with the public methods that reflection finds, and
//    {"sdk", "operation", "covers", "outcome"} for each operation: the outcome is `works`, or the reason of the failure.

const express = require("express");
const readline = require("node:readline");
const { Report } = require("./report.js");

const SUITES = [
  "./service_sending.js",
  "./service_connections.js",
  "./service_groups.js",
  "./service_tokens.js",
  "./client_connection.js",
  "./client_messages.js",
  "./client_events.js",
  "./client_streams.js",
  "./express.js",
];

async function main() {
  const application = express();
  const server = application.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  console.log(JSON.stringify({ handlers: `http://127.0.0.1:${server.address().port}` }));
  const [line] = await new Promise((resolve) => {
    readline.createInterface({ input: process.stdin }).once("line", (...words) => resolve(words));
  });
  const report = new Report({ ...JSON.parse(line), application });
  const sdks = new Map();
  for (const suite of SUITES) {
    const { sdk, methods, operations } = require(suite);
    if (!sdks.has(sdk)) sdks.set(sdk, report.of(sdk, methods()));
    operations(sdks.get(sdk));
  }
  await report.run();
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
