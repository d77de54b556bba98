// Appends the lines of a build to the element of the demo page, in a loop.

import "./element/tailcast.js";

/** Interval between two lines, typical of a build. */
const PAUSE_MS = 400;
/** Lines appended at the start, so that the log is not empty. */
const INITIAL_LINES = 12;

const grey = (text) => `\u001b[90m${text}\u001b[0m`;
const green = (text) => `\u001b[1;32m${text}\u001b[0m`;
const yellow = (text) => `\u001b[1;33m${text}\u001b[0m`;
const red = (text) => `\u001b[1;31m${text}\u001b[0m`;

const LINES = [
  grey("$ make release"),
  `${green("Compiling")} protocol v0.1.0`,
  `${green("Compiling")} client v0.1.0`,
  `${yellow("warning")}: unused variable: \`backoff\``,
  `${grey("  -->")} client/src/retry.rs:41:9`,
  `${green("Compiling")} hub v0.1.0`,
  `${green("Compiling")} server v0.1.0`,
  `${green("Finished")} release in 48.2 s`,
  grey("$ make deploy"),
  '{"time":"2026-11-28T20:00:01Z","level":"info","msg":"upload begins","files":214}',
  '{"time":"2026-11-28T20:00:03Z","level":"warn","msg":"slow response, retrying","host":"edge-3","ms":2140}',
  '{"time":"2026-11-28T20:00:04Z","level":"error","msg":"upload refused","host":"edge-3","status":503}',
  `${red("error")}: edge-3 does not answer`,
  `${green("ok")} deployed to 5 of 6 hosts, see https://status.example.com/deploys/42`,
  "INFO  health check of edge-1 passed",
  "DEBUG cache of edge-1 is warm, 98 % hit rate",
];

const log = document.querySelector("#demo");
// There is no server: the promise stays pending, and the element shows the appended lines.
log.negotiateWith = () => new Promise(() => {});

let next = 0;
const appendNext = () => log.append(LINES[next++ % LINES.length]);
for (let count = 0; count < INITIAL_LINES; count++) appendNext();
setInterval(appendNext, PAUSE_MS);
