// A page of twenty lines with react-virtuoso: it splits on arrival, appends once a frame, and removes escape codes when it draws.

import { createElement, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Virtuoso } from "react-virtuoso";
import { feed } from "./feed.js";

const lines = [];
const escapes = /\x1b\[[0-9;]*m/g;
const row = (index) => createElement("pre", { style: { margin: 0 } }, lines[index].replace(escapes, ""));

function Log() {
  const [count, setCount] = useState(0);
  useEffect(() => {
    let frame = 0;
    feed((text) => {
      for (const line of text.split("\n")) lines.push(line);
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setCount(lines.length);
      });
    });
  }, []);
  return createElement(Virtuoso, { totalCount: count, itemContent: row, followOutput: () => "auto", style: { height: "100%" } });
}

createRoot(document.querySelector("#root")).render(createElement(Log));
