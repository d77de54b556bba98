// No viewer: counts lines and keeps the last message. As fast as a page can be that reads messages at all.

import { feed } from "./feed.js";

window.lines = 0;
feed((text) => {
  let at = -1;
  do {
    window.lines += 1;
    at = text.indexOf("\n", at + 1);
  } while (at >= 0);
  window.lastText = text;
});
