// The custom element `<tail-cast>`: a live log in somebody else's page.
//
// This file is all that the page loads at first. What the element shows is WebAssembly (`tailcast-core.js` and its
// `.wasm`), which is loaded when the first element comes into view, once for all elements of the page.

const VERSION = "__VERSION__";
const STYLE = "__STYLE__";

/** Calls made before the viewer runs wait for it, up to this many; further ones are refused. */
const MAX_WAITING_CALLS = 10_000;

/** Attributes that become settings of the viewer, under the name that the viewer has for them. Those that may change while it runs. */
const LIVE = {
  follow: "follow",
  wrap: "wrap",
  theme: "theme",
  time: "time",
  marks: "marks",
  speak: "speak",
  columns: "columns",
  find: "find",
  levels: "levels",
};
/** Those that make another viewer of it. */
const FIXED = {
  negotiate: "negotiate",
  url: "url",
  group: "group",
  "user-id": "id",
  subprotocol: "subprotocol",
  "max-lines": "lines",
  "max-mib": "mib",
  publish: "publish",
};
/** Those that are more than one setting, or none. */
const OTHER = ["filter", "toolbar", "readonly"];

const FLAGS = new Set(["follow", "wrap", "speak", "publish", "readonly"]);
const NUMBERS = new Set(["max-lines", "max-mib"]);

/** What may be said by attributes that may not say anything. */
const ALLOWED = {
  theme: ["system", "light", "dark"],
  time: ["0", "clock", "since"],
  levels: ["error", "warning", "info", "debug", "trace"],
  toolbar: ["full", "find", "status", "none"],
};

/** What is wrong with the value of an attribute; nothing, if that may be. */
function wrongValue(name, value) {
  if (value === null) return;
  if (NUMBERS.has(name)) {
    return /^0*[1-9]\d*$/.test(value) ? undefined : `${name} must be a whole number above 0, not \`${value}\``;
  }
  const allowed = ALLOWED[name];
  const wrong = value.split(",").map((word) => word.trim()).find((word) => word && !allowed.includes(word));
  return wrong && `${name} must be ${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}, not \`${wrong}\``;
}

let core;

/** Loads the WebAssembly, once. */
function loadCore() {
  core ??= (async () => {
    const module = await import("./tailcast-core.js").catch(notLoaded);
    await module.default({ module_or_path: new URL("./tailcast-core_bg.wasm", import.meta.url) }).catch(notStarted);
    return module;
  })();
  // Whoever asks later may have more luck.
  core.catch(() => { core = undefined; });
  return core;
}

function notLoaded({ message }) {
  throw new Error(`Tailcast cannot be loaded: is tailcast-core.js beside tailcast.js, served as JavaScript, and allowed by the page's Content-Security-Policy? (${message})`);
}

function notStarted({ name, message }) {
  // What is not fetched is a TypeError, and may be a policy's doing, too.
  throw new Error(name !== "TypeError" && /Content.Security.Policy|CSP|unsafe-eval|embedder/i.test(message)
    ? `The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src. (${message})`
    : `Tailcast's WebAssembly cannot be started: is tailcast-core_bg.wasm beside tailcast.js, and allowed by the page's Content-Security-Policy? (${message})`);
}

let sheet;

function styleOf(root) {
  if ("adoptedStyleSheets" in root) {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [sheet];
  } else {
    const style = document.createElement("style");
    style.textContent = STYLE;
    root.append(style);
  }
}

const inView = new WeakMap();
let watch;

/** Calls `react` when the element comes into view, once. */
function whenSeen(element, react) {
  watch ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        watch.unobserve(target);
        inView.get(target)?.();
      }
    }
  }, { rootMargin: "200px" });
  inView.set(element, react);
  watch.observe(element);
}

// A module that is only looked at, on a server, needs no browser.
const Base = globalThis.HTMLElement ?? class {};

export class TailCast extends Base {
  static version = VERSION;
  static observedAttributes = [...Object.keys(LIVE), ...Object.keys(FIXED), ...OTHER];

  #viewer;
  #place;
  #waiting = [];
  #isReady = false;
  #isStarting = false;
  #wantsMessages = false;
  #negotiateWith;
  #restart = false;

  constructor() {
    super();
    styleOf(this.attachShadow({ mode: "open" }));
  }

  connectedCallback() {
    for (const name of ["negotiateWith", ...Object.keys(PROPERTIES)]) this.#upgrade(name);
    if (this.#viewer) this.#viewer.moved();
    else if (!this.#isStarting) whenSeen(this, () => this.#start());
  }

  disconnectedCallback() {
    // An element that is moved is back before this.
    queueMicrotask(() => {
      if (!this.isConnected) {
        watch?.unobserve(this);
        this.#stop();
      }
    });
  }

  connectedMoveCallback() {}

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#place) return;
    if (name in ALLOWED) this.#complain(name);
    if (name === "toolbar") {
      this.#showToolbar();
    } else if (name === "filter") {
      this.#setFilter(now);
    } else if (name in LIVE) {
      this.#viewer?.set(LIVE[name], now ?? undefined);
    } else if (!this.#restart) {
      // Several of them change together.
      this.#restart = true;
      queueMicrotask(() => {
        this.#restart = false;
        if (!this.#place) return;
        this.#stop();
        if (this.isConnected) this.#start();
      });
    }
  }

  addEventListener(type, ...rest) {
    // Messages are told only to who asks for them: there may be many.
    if (type === "tailcast-message") this.#wantsMessages = true;
    super.addEventListener(type, ...rest);
  }

  /** Holds the view where it is. */
  pause() { this.#do((viewer) => viewer.set("follow", "0")); }
  /** Follows the newest line. */
  resume() { this.#do((viewer) => viewer.set("follow", "1")); }
  /** Takes all lines away. */
  clear() { this.#do((viewer) => viewer.clear()); }
  /** Puts text into the log, as if it had come in a message. */
  append(text) { this.#do((viewer) => viewer.append(String(text))); }

  /** Looks for words, or for a regular expression; nothing ends the search. */
  search(words, { regex = words instanceof RegExp, caseSensitive = words instanceof RegExp && !words.ignoreCase, show = "all" } = {}) {
    const pattern = words instanceof RegExp ? words.source : words ?? "";
    this.#do((viewer) => {
      viewer.set("regex", regex ? "1" : "0");
      viewer.set("case", caseSensitive ? "1" : "0");
      viewer.set("show", show);
      viewer.set("find", String(pattern));
    });
  }

  /** Has the browser keep lines as a file. */
  download({ scope = "shown", format = "text" } = {}) {
    this.#do((viewer) => viewer.download(scope === "held", format === "json"));
  }

  /** Sends a line to the group. The promise is kept once the service has it. */
  send(text) {
    return new Promise((resolve, reject) => {
      this.#do((viewer) => viewer.send(String(text)).then(resolve, reject), reject);
    });
  }

  /** A function that comes by the service's URL, in place of a negotiate endpoint. */
  get negotiateWith() { return this.#negotiateWith; }
  set negotiateWith(negotiate) {
    if (negotiate === this.#negotiateWith) return;
    this.#negotiateWith = negotiate;
    if (this.#place) this.attributeChangedCallback("negotiate", null, undefined);
  }

  /** Properties that were set before the class was known. */
  #upgrade(name) {
    if (Object.prototype.hasOwnProperty.call(this, name)) {
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
  }

  #do(act, refuse) {
    if (this.#isReady) {
      act(this.#viewer);
    } else if (this.#waiting.length < MAX_WAITING_CALLS) {
      this.#waiting.push(act);
      if (this.isConnected && !this.#isStarting && !this.#viewer) this.#start();
    } else {
      const words = `more than ${MAX_WAITING_CALLS} calls wait for the element to start`;
      refuse ? refuse(new Error(words)) : this.#fail(words);
    }
  }

  async #start() {
    if (this.#viewer || this.#isStarting || !this.isConnected) return;
    const words = this.#wrong();
    if (words) return this.#refuse(words);
    this.#isStarting = true;
    let module;
    try {
      module = await loadCore();
    } catch (error) {
      this.#isStarting = false;
      return this.#refuse(error.message);
    }
    this.#isStarting = false;
    // It may be gone by now.
    if (!this.isConnected || this.#viewer) return;
    this.#place?.remove();
    this.#place = this.#makePlace();
    const tell = (name, ...values) => this.#tell(name, ...values);
    try {
      this.#viewer = new module.ElementViewer(
        this.#place, this.#query(), document.baseURI, this.#negotiateWith, () => this.#wantsMessages, tell,
      );
    } catch (error) {
      return this.#refuse(String(error?.message ?? error));
    }
    Object.keys(ALLOWED).forEach((name) => this.#complain(name));
  }

  #makePlace() {
    const place = document.createElement("div");
    place.className = "place";
    this.shadowRoot.append(place);
    return place;
  }

  #stop() {
    this.#viewer?.free();
    this.#viewer = undefined;
    this.#isReady = false;
    this.#place?.remove();
    this.#place = undefined;
  }

  /** What is wrong with the attributes, as far as that can be said without WebAssembly. */
  #wrong() {
    const has = (name) => this.hasAttribute(name);
    if (!has("negotiate") && !has("url") && !this.#negotiateWith) {
      return "This <tail-cast> does not know where to connect: give it a negotiate attribute, the address of a negotiate endpoint.";
    }
    return [...NUMBERS].map((name) => wrongValue(name, this.getAttribute(name))).find(Boolean);
  }

  /** Tells of a value that makes no sense, and does without. */
  #complain(name) {
    const words = wrongValue(name, this.getAttribute(name));
    if (words) {
      this.#fail(words);
      this.#do((viewer) => viewer.say(words));
    }
  }

  #query() {
    const query = new URLSearchParams();
    for (const [attribute, setting] of [...Object.entries(FIXED), ...Object.entries(LIVE)]) {
      const value = this.getAttribute(attribute);
      if (value !== null) query.append(setting, value);
    }
    if (this.#negotiateWith) query.delete("negotiate");
    const filter = this.getAttribute("filter");
    if (filter) {
      query.set("find", filter);
      query.set("show", "hits");
    }
    if (this.readonly) query.delete("publish");
    return query.toString();
  }

  #setFilter(words) {
    this.search(words ?? "", { show: words ? "hits" : "all" });
  }

  #showToolbar() {
    const toolbar = this.getAttribute("toolbar") ?? "full";
    this.#place?.setAttribute("data-toolbar", toolbar);
  }

  #tell(name, ...values) {
    const [first, second, third] = values;
    switch (name) {
      case "ready": {
        this.#isReady = true;
        this.#showToolbar();
        const waiting = this.#waiting;
        this.#waiting = [];
        // The viewer is still inside of the call that made it.
        queueMicrotask(() => waiting.forEach((act) => this.#do(act)));
        return;
      }
      case "connected":
        return this.#emit(name, { connectionId: first, userId: second || null });
      case "disconnected":
        return this.#emit(name, { reason: first });
      case "gap":
        return this.#emit(name, { messages: first ? Number(first) : null });
      case "error":
        return this.#fail(first);
      case "message":
        return this.#emit("message", { group: first || null, fromUserId: second || null, dataType: "text", data: third });
      case "json":
        return this.#emit("message", { group: first || null, fromUserId: second || null, dataType: "json", data: JSON.parse(third) });
      case "binary":
        return this.#emit("message", { group: first || null, fromUserId: second || null, dataType: "binary", data: third });
    }
  }

  #fail(message) {
    this.#emit("error", { message });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(`tailcast-${name}`, { detail, bubbles: true, composed: true }));
  }

  /** Words in the element's place: nobody sees a blank box. A change of its attributes starts it. */
  #refuse(words) {
    this.#fail(words);
    this.#place ??= this.#makePlace();
    const said = document.createElement("p");
    said.className = "failed";
    said.setAttribute("role", "alert");
    said.textContent = words;
    this.#place.replaceChildren(said);
  }
}

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const PROPERTIES = Object.fromEntries(TailCast.observedAttributes.map((name) => [camel(name), name]));

// Attributes are properties, too.
for (const [property, attribute] of Object.entries(PROPERTIES)) {
  Object.defineProperty(TailCast.prototype, property, {
    configurable: true,
    enumerable: true,
    get() {
      const value = this.getAttribute(attribute);
      if (attribute === "follow") return value !== "0" && value !== "false";
      if (FLAGS.has(attribute)) return value !== null && value !== "0" && value !== "false";
      if (NUMBERS.has(attribute)) return value === null ? null : Number(value);
      return value;
    },
    set(value) {
      if (attribute === "follow") return value ? this.removeAttribute(attribute) : this.setAttribute(attribute, "0");
      if (FLAGS.has(attribute)) return void this.toggleAttribute(attribute, Boolean(value));
      if (value === null || value === undefined) this.removeAttribute(attribute);
      else this.setAttribute(attribute, String(value));
    },
  });
}

if (globalThis.customElements) {
  const known = customElements.get("tail-cast");
  if (!known) {
    customElements.define("tail-cast", TailCast);
  } else if (known.version !== VERSION) {
    console.warn(`<tail-cast> is already there in version ${known.version}; this is ${VERSION}, and is not used.`);
  }
}
