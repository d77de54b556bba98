// Starts the page, or shows an error; then caches it for offline use.

/** Smallest module. A browser that rejects it rejects all. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Returns the reason why the page does not start, and the remedy. */
async function reason(error) {
  if (typeof WebAssembly !== "object") {
    return "this browser has no WebAssembly, or was told not to use it.";
  }
  try {
    await WebAssembly.compile(EMPTY_MODULE);
  } catch {
    return "its Content-Security-Policy forbids WebAssembly. Whoever hosts it adds 'wasm-unsafe-eval' to script-src.";
  }
  return `one of its files is missing, or not as it was built. Whoever hosts it puts all of them there. (${error})`;
}

async function start() {
  const page = await import("./__SCRIPT__");
  await page.default({ module_or_path: new URL("./__MODULE__", import.meta.url) });
}

async function keep() {
  const worker = new URL("./service_worker.js", import.meta.url);
  await navigator.serviceWorker?.register(worker, { updateViaCache: "none" });
}

/** What was kept may be what does not start: the next visit gets all of it from the host. */
async function forget() {
  const worker = await navigator.serviceWorker?.getRegistration();
  await worker?.unregister();
  const names = (await globalThis.caches?.keys()) ?? [];
  const own = names.filter((name) => worker && name.startsWith(`tailcast ${worker.scope} `));
  await Promise.all(own.map((name) => caches.delete(name)));
}

try {
  await start();
  // Where nothing may be kept, as in a private window, the page works all the same.
  keep().catch(() => {});
} catch (error) {
  const words = document.createElement("p");
  words.className = "unstarted";
  words.role = "alert";
  words.textContent = `Tailcast does not start: ${await reason(error)}`;
  document.body.replaceChildren(words);
  if (navigator.onLine) forget().catch(() => {});
  throw error;
}
