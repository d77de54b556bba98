// Shows messages in xterm.js, each on a row of its own, and prints the rows: both as JSON.
// `node xterm.mjs NODE_MODULES < messages`

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { Terminal } = createRequire(`${process.argv[2]}/`)("@xterm/headless");
const messages = JSON.parse(await text(process.stdin));
const terminal = new Terminal({ cols: 200, rows: 50, scrollback: 10000, convertEol: true, allowProposedApi: true });
for (const message of messages) {
  await new Promise((resolve) => terminal.writeln(message, resolve));
}
const buffer = terminal.buffer.active;
const rows = [];
for (let at = 0; at < buffer.length; at += 1) {
  rows.push(buffer.getLine(at).translateToString(true));
}
while (rows.at(-1) === "") {
  rows.pop();
}
console.log(JSON.stringify(rows));
