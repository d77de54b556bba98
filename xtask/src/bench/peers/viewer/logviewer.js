// @melloware/react-logviewer, following the end. It is given text by its own interface for that.

import { LazyLog } from "@melloware/react-logviewer";
import { createElement, createRef } from "react";
import { createRoot } from "react-dom/client";
import { feed } from "./feed.js";

const log = createRef();
createRoot(document.querySelector("#root")).render(
  createElement(LazyLog, { ref: log, external: true, follow: true, enableSearch: true }),
);
feed((text) => log.current.appendLines(text.split("\n")));
