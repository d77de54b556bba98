// The WebAssembly of the client, loaded once.

import initCore from "./core.js";

let source = () => undefined;
let loading = undefined;
let isComplete = false;

/** Sets the function that returns what `init()` loads without an argument. */
export function setSource(given) {
  source = given;
}

/** Whether the WebAssembly is loaded. */
export const isLoaded = () => isComplete;

/**
 * Loads the WebAssembly. `start()` does so by itself; call it before to load it from another place, or to have invalid arguments
 * refused by the constructor.
 */
export default function init(from) {
  loading ??= load(from).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(from) {
  const output = await initCore(from ?? (await source()));
  isComplete = true;
  return output;
}
