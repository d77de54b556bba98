#!/usr/bin/env node
// Starts the program of this platform, which is in an optional package.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { isatty } from "node:tty";

/** Signals that are passed on to the program. */
const SIGNALS = process.platform === "win32" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

const packageName = `@tailcast/${process.platform}-${process.arch}`;

function programPath() {
  const file = process.platform === "win32" ? "tailcast.exe" : "tailcast";
  try {
    return createRequire(import.meta.url).resolve(`${packageName}/${file}`);
  } catch {
    return undefined;
  }
}

/** Whether the terminal sends the signal to the program as well: keys of a terminal reach all programs in its foreground. */
function isOfTerminal(signal) {
  return ["SIGINT", "SIGQUIT", "SIGBREAK"].includes(signal) && [0, 1, 2].some(isatty);
}

function fail(message) {
  console.error(`tailcast: ${message}`);
  process.exit(1);
}

function start(path) {
  const program = spawn(path, process.argv.slice(2), { stdio: "inherit" });
  for (const signal of SIGNALS) process.on(signal, () => isOfTerminal(signal) || program.kill(signal));
  program.on("error", (error) => fail(`cannot start ${path}: ${error.message}`));
  program.on("exit", (code, signal) => {
    if (!signal) process.exit(code);
    // Ends in the same way, so that a shell sees the signal.
    SIGNALS.forEach((name) => process.removeAllListeners(name));
    process.kill(process.pid, signal);
  });
}

const path = programPath();
if (path) {
  start(path);
} else {
  fail(`the package ${packageName} is missing; install it beside tailcast, of the same version`);
}
