// The custom element `<tail-cast>`: a live log in a host page.
//
// The page loads only this file at first. The viewer is WebAssembly (`tailcast-core.js` and its `.wasm`), loaded when the first
// element comes into view, once for all elements of the page.

const VERSION = "__VERSION__";
const STYLE = "__STYLE__";

/** Limit of the calls that are queued until the viewer has started; further ones are rejected. */
const MAX_WAITING_CALLS = 10_000;

/** Attributes that may change while the viewer runs, with the names of their settings. */
const LIVE = {
  follow: "follow",
  wrap: "wrap",
  theme: "theme",
  time: "time",
  marks: "marks",
  speak: "speak",
  columns: "columns",
  context: "context",
  find: "find",
  levels: "levels",
};
/** Attributes whose change starts another viewer, with the names of their settings. */
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
/** Attributes that are several settings, or none. */
const OTHER = ["filter", "toolbar", "readonly"];

const FLAGS = new Set(["follow", "wrap", "speak", "publish", "readonly"]);
const LIMITS = ["max-lines", "max-mib"];
const NUMBERS = new Set([...LIMITS, "context"]);

/** Allowed values of attributes that take a few. */
const ALLOWED = {
  theme: ["system", "light", "dark"],
  time: ["0", "clock", "since"],
  levels: ["error", "warning", "info", "debug", "trace"],
  toolbar: ["full", "find", "status", "none"],
};

/** Returns what is wrong with the value of an attribute, as a sentence; `undefined` for a valid one. */
function wrongValue(name, value) {
  if (value === null) return;
  if (LIMITS.includes(name)) {
    return /^0*[1-9]\d*$/.test(value) ? undefined : `${name} must be a whole number above 0, not \`${value}\``;
  }
  const allowed = ALLOWED[name];
  const wrong = value.split(",").map((word) => word.trim()).find((word) => word && !allowed.includes(word));
  return wrong && `${name} must be ${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}, not \`${wrong}\``;
}

/** The address of a script that Vite's dependency optimizer has written: the WebAssembly is not beside it. */
const OPTIMIZED_BY_VITE = /\/deps\/[^/]+\.js\?v=/;

let core;

/** Loads the WebAssembly, once. */
function loadCore() {
  core ??= (async () => {
    const module = await import("./tailcast-core.js").catch(notLoaded);
    await module.default({ module_or_path: new URL("./tailcast-core_bg.wasm", import.meta.url) }).catch(notStarted);
    return module;
  })();
  // The next element tries again.
  core.catch(() => { core = undefined; });
  return core;
}

function notLoaded({ message }) {
  throw new Error(`Tailcast cannot be loaded: is tailcast-core.js beside tailcast.js, served as JavaScript, and allowed by the page's Content-Security-Policy? (${message})`);
}

function notStarted({ name, message }) {
  throw new Error(`${startFailure(name, message)} (${message})`);
}

/** Returns the probable cause of a failed start, and its remedy. */
function startFailure(name, message) {
  // A failed fetch is a TypeError, and may be caused by a policy, too.
  if (name !== "TypeError" && /Content.Security.Policy|CSP|unsafe-eval|embedder/i.test(message)) {
    return "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src.";
  }
  if (OPTIMIZED_BY_VITE.test(import.meta.url)) {
    return 'Vite has moved Tailcast away from its WebAssembly: add `optimizeDeps: { exclude: ["tailcast"] }` to the Vite configuration.';
  }
  return "Tailcast's WebAssembly cannot be started: is tailcast-core_bg.wasm beside tailcast.js, and allowed by the page's Content-Security-Policy?";
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

/** Calls `callback` when the element comes into view, once. */
function whenVisible(element, callback) {
  watch ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        watch.unobserve(target);
        inView.get(target)?.();
      }
    }
  }, { rootMargin: "200px" });
  inView.set(element, callback);
  watch.observe(element);
}

// A module that is imported on a server finds no browser.
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
    else if (!this.#isStarting) whenVisible(this, () => this.#start());
  }

  disconnectedCallback() {
    // An element that is moved is connected again by then.
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
      // Several attributes may change in one task.
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
    // Messages are emitted only if somebody listens: there may be many.
    if (type === "tailcast-message") this.#wantsMessages = true;
    super.addEventListener(type, ...rest);
  }

  /** Holds the view. */
  pause() { this.#do((viewer) => viewer.set("follow", "0")); }
  /** Follows the newest line. */
  resume() { this.#do((viewer) => viewer.set("follow", "1")); }
  /** Removes all lines. */
  clear() { this.#do((viewer) => viewer.clear()); }
  /** Appends text to the log, as if it had been received in a message. */
  append(text) { this.#do((viewer) => viewer.append(String(text))); }

  /** Searches for text or a regular expression; an empty one ends the search. */
  search(words, { regex = words instanceof RegExp, caseSensitive = words instanceof RegExp && !words.ignoreCase, show = "all" } = {}) {
    const pattern = words instanceof RegExp ? words.source : words ?? "";
    this.#do((viewer) => {
      viewer.set("regex", regex ? "1" : "0");
      viewer.set("case", caseSensitive ? "1" : "0");
      viewer.set("show", show);
      viewer.set("find", String(pattern));
    });
  }

  /** Downloads lines as a file. */
  download({ scope = "shown", format = "text" } = {}) {
    this.#do((viewer) => viewer.download(scope === "held", format === "json"));
  }

  /** Publishes a line to the group. The promise is resolved when the service has acknowledged it. */
  send(text) {
    return new Promise((resolve, reject) => {
      this.#do((viewer) => viewer.send(String(text)).then(resolve, reject), reject);
    });
  }

  /** A function that returns the service's URL, in place of a negotiate endpoint. */
  get negotiateWith() { return this.#negotiateWith; }
  set negotiateWith(negotiate) {
    if (negotiate === this.#negotiateWith) return;
    this.#negotiateWith = negotiate;
    if (this.#place) this.attributeChangedCallback("negotiate", null, undefined);
  }

  /** Applies a property that was set before the class was defined. */
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
    const problem = this.#problem();
    if (problem) return this.#refuse(problem);
    this.#isStarting = true;
    let module;
    try {
      module = await loadCore();
    } catch (error) {
      this.#isStarting = false;
      return this.#refuse(error.message);
    }
    this.#isStarting = false;
    // It may have been removed meanwhile.
    if (!this.isConnected || this.#viewer) return;
    this.#place?.remove();
    this.#place = this.#makePlace();
    const options = { settings: this.#settings(), base: document.baseURI };
    const emit = (name, detail) => (name === "ready" ? this.#ready() : this.#emit(name, detail));
    try {
      this.#viewer = new module.ElementViewer(
        this.#place, options, this.#negotiateWith, () => this.#wantsMessages, emit,
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

  /** Returns what is wrong with the attributes, as far as that is known without WebAssembly. */
  #problem() {
    const has = (name) => this.hasAttribute(name);
    if (!has("negotiate") && !has("url") && !this.#negotiateWith) {
      return "This <tail-cast> does not know where to connect: give it a negotiate attribute, the address of a negotiate endpoint.";
    }
    return LIMITS.map((name) => wrongValue(name, this.getAttribute(name))).find(Boolean);
  }

  /** Reports an invalid value, which is then ignored. */
  #complain(name) {
    const problem = wrongValue(name, this.getAttribute(name));
    if (problem) {
      this.#fail(problem);
      this.#do((viewer) => viewer.showToast(problem));
    }
  }

  #settings() {
    const settings = {};
    for (const [attribute, setting] of [...Object.entries(FIXED), ...Object.entries(LIVE)]) {
      const value = this.getAttribute(attribute);
      if (value !== null) settings[setting] = value;
    }
    if (this.#negotiateWith) delete settings.negotiate;
    const filter = this.getAttribute("filter");
    if (filter) Object.assign(settings, { find: filter, show: "hits" });
    if (this.readonly) delete settings.publish;
    return settings;
  }

  #setFilter(words) {
    this.search(words ?? "", { show: words ? "hits" : "all" });
  }

  #showToolbar() {
    const toolbar = this.getAttribute("toolbar") ?? "full";
    this.#place?.setAttribute("data-toolbar", toolbar);
  }

  #ready() {
    this.#isReady = true;
    this.#showToolbar();
    const waiting = this.#waiting;
    this.#waiting = [];
    // The viewer's constructor has not returned yet.
    queueMicrotask(() => waiting.forEach((act) => this.#do(act)));
  }

  #fail(message) {
    this.#emit("error", { message });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(`tailcast-${name}`, { detail, bubbles: true, composed: true }));
  }

  /** Shows an error in the element's place. A change of its attributes starts it again. */
  #refuse(problem) {
    this.#fail(problem);
    this.#place ??= this.#makePlace();
    const message = document.createElement("p");
    message.className = "failed";
    message.setAttribute("role", "alert");
    message.textContent = problem;
    this.#place.replaceChildren(message);
  }
}

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const PROPERTIES = Object.fromEntries(TailCast.observedAttributes.map((name) => [camel(name), name]));

// Every attribute is also a property.
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
    console.warn(`<tail-cast> is already defined by version ${known.version}; version ${VERSION} is ignored.`);
  }
}
