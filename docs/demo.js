// Plays a build into the element of the demo page, again and again.

import "./element/tailcast.js";

/** Between two lines, as a build has it. */
const PAUSE_MS = 400;
/** Those that are there at once: nobody looks at an empty log. */
const AT_ONCE = 12;

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
  '{"time":"2026-11-28T20:00:03Z","level":"warn","msg":"slow answer, trying again","host":"edge-3","ms":2140}',
  '{"time":"2026-11-28T20:00:04Z","level":"error","msg":"upload refused","host":"edge-3","status":503}',
  `${red("error")}: edge-3 does not answer`,
  `${green("ok")} deployed to 5 of 6 hosts, see https://status.example.com/deploys/42`,
  "INFO  health check of edge-1 passed",
  "DEBUG cache of edge-1 is warm, 98 % hits",
];

const log = document.querySelector("#demo");
// There is nobody to ask: it goes on connecting, and shows what it is given.
log.negotiateWith = () => new Promise(() => {});

let next = 0;
const play = () => log.append(LINES[next++ % LINES.length]);
for (let count = 0; count < AT_ONCE; count++) play();
setInterval(play, PAUSE_MS);
