// xterm.js, its DOM renderer, with room for every line.

import { Terminal } from "@xterm/xterm";
import { feed } from "./feed.js";

const terminal = new Terminal({ cols: 140, rows: 40, scrollback: 1_000_000, convertEol: true });
terminal.open(document.querySelector("#root"));
feed((text) => terminal.write(`${text}\n`));
