// ghostty-web: the parser of Ghostty in WebAssembly, drawn on a canvas.

import { init, Terminal } from "ghostty-web";
import { feed } from "./feed.js";

await init();
const terminal = new Terminal({ cols: 140, rows: 40, scrollback: 1_000_000, convertEol: true });
terminal.open(document.querySelector("#root"));
// A canvas has no text, so the probe reads the last rows of the screen.
window.shownText = () => {
  const { active } = terminal.buffer;
  const rows = Array.from({ length: 3 }, (_, back) => active.getLine(active.length - 1 - back)?.translateToString(true));
  return rows.reverse().join("\n");
};
feed((text) => terminal.write(`${text}\n`));
