// Keeps the page for when there is no network. Whoever has one gets what the server has now: of a newer page a newer
// worker learns at once, and what an older one kept goes.

/** The build that this worker belongs to. */
const VERSION = "__VERSION__";
/** What the page loads. A hash stands in each name: what it means never changes. */
const FILES = __FILES__;
/** What may change without a new build. */
const SETTINGS = __SETTINGS__;
/** What every build of the page holds. */
const OURS = "tailcast-page";

/** By these names hosts know the page; a few know only one of them. */
const NAMES = ["./", "index.html"];
/** Under this one it is kept. */
const PAGE = "index.html";

const SCOPE = registration.scope;
/** Caches are the origin's, and another Tailcast may lie under another path of it. */
const OWN = `tailcast ${SCOPE} `;
const CACHE = OWN + VERSION;

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  // A form that is sent somewhere is no question of what the page is.
  if (event.request.method !== "GET") return;
  const name = nameOf(event.request);
  if (event.request.mode === "navigate" && ["", PAGE].includes(name)) {
    event.respondWith(page(event));
  } else if (FILES.includes(name)) {
    event.respondWith(kept(name).then((file) => file ?? fetch(event.request)));
  } else if (SETTINGS.includes(name)) {
    event.respondWith(settings(name, event));
  }
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.put(PAGE, await fetchPage());
  await Promise.all(FILES.map(async (name) => cache.put(name, await fetchFile(name))));
  // Whoever hosts the page may have taken them away.
  await Promise.allSettled(SETTINGS.map((name) => cache.add(new Request(name, { cache: "no-cache" }))));
  // A page that is open has all it needs: nobody has to close it for the new one.
  await skipWaiting();
}

async function activate() {
  await forget((name) => name !== CACHE);
  await clients.claim();
}

async function fetchPage() {
  for (const name of NAMES) {
    const response = await fetch(name, { cache: "no-cache" });
    // A browser takes no redirected answer for a page that it asked for by another name.
    if (response.ok && !response.redirected) return response;
  }
  throw new Error(`there is no page at ${SCOPE}`);
}

/** A file as it was built. Some hosts answer with a page, or send one elsewhere, where a file is not there yet. */
async function fetchFile(name) {
  const response = await fetch(name, { cache: "no-cache" });
  const isPage = response.headers.get("Content-Type")?.startsWith("text/html");
  if (!response.ok || response.redirected || isPage) throw new Error(`${name} is not there`);
  return response;
}

/** The page as the server has it, or else as it was kept. */
async function page(event) {
  let response;
  try {
    // Some hosts let browsers keep the page for minutes; a newer one would not be seen meanwhile.
    response = await fetch(event.request.url, { cache: "no-cache", credentials: "include", redirect: "manual" });
  } catch (error) {
    const before = await kept(PAGE);
    if (before) return before;
    throw error;
  }
  if (response.status === 401) return (await loadWithoutWorker()) ?? response;
  event.waitUntil(leaveToOthers(response.clone()));
  return response;
}

/**
 * Returns a page that loads the address again without this worker; nothing if the worker cannot be removed. Browsers ask for a
 * password only for a request that no worker answers. The page registers the worker again.
 */
async function loadWithoutWorker() {
  if (!(await registration.unregister())) return undefined;
  const again = "<!doctype html><script>location.reload()</script>";
  return new Response(again, { headers: { "Content-Type": "text/html" } });
}

/** Another page may live here now, as it happens at addresses of a developer's own machine: then this worker goes. */
async function leaveToOthers(response) {
  if (response.ok && !(await response.text()).includes(OURS)) {
    await registration.unregister();
    await forget(() => true);
  }
}

/** Settings as the server has them, or else as they were kept. */
async function settings(name, event) {
  let response;
  try {
    response = await fetch(event.request);
  } catch (error) {
    const before = await kept(name);
    if (before) return before;
    throw error;
  }
  // What cannot be kept is used all the same.
  event.waitUntil(keepSettings(name, response.clone()).catch(() => {}));
  return response;
}

async function keepSettings(name, response) {
  const cache = await caches.open(CACHE);
  if (response.ok) await cache.put(name, response);
  if (response.status === 404) await cache.delete(name);
}

function kept(name) {
  return caches.match(new URL(name, SCOPE), { cacheName: CACHE, ignoreVary: true });
}

async function forget(isMeant) {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OWN) && isMeant(name)).map((name) => caches.delete(name)));
}

/** The path below our scope; nothing for what lies elsewhere. */
function nameOf(request) {
  const { origin, pathname } = new URL(request.url);
  const whole = origin + pathname;
  return whole.startsWith(SCOPE) ? whole.slice(SCOPE.length) : undefined;
}
