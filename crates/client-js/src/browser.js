// What JavaScript does best itself: promises and lists of listeners. So a message crosses between JavaScript and
// WebAssembly as seldom as can be.

/** Promises by the number of what they wait for. */
export class Promises {
  #ends = new Map();

  /** A new promise. */
  keep(number) {
    return new Promise((resolve, reject) => this.#ends.set(number, { resolve, reject }));
  }

  /** The promise of `number` waits for `other` from here on. */
  renumber(number, other) {
    this.#ends.set(other, this.#take(number));
  }

  /** A new promise that nobody need look after: broken, it is not reported. */
  keepQuietly(number) {
    const promise = this.keep(number);
    promise.catch(() => {});
    return promise;
  }

  resolve(number, value) {
    this.#take(number)?.resolve(value);
  }

  reject(number, words) {
    this.#take(number)?.reject(new Error(words));
  }

  rejectAll(words) {
    const all = [...this.#ends.values()];
    this.#ends.clear();
    for (const ends of all) ends.reject(new Error(words));
  }

  #take(number) {
    const ends = this.#ends.get(number);
    this.#ends.delete(number);
    return ends;
  }
}

/** JSON that the service relays; what is none is left as it came. */
export function read(json) {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

const DATA_TYPES = ["text", "json", "binary", "protobuf"];

/** Which of the data types this is; -1 for none. */
export function dataTypeOf(name) {
  return DATA_TYPES.indexOf(name);
}

/**
 * The bytes of a buffer or of a view of one, be it of another window; `undefined` for what is neither, or has been handed
 * over to somebody else.
 */
export function bytesOf(content) {
  try {
    if (ArrayBuffer.isView(content)) {
      return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    }
    const isBuffer = Object.prototype.toString.call(content) === "[object ArrayBuffer]";
    return isBuffer ? new Uint8Array(content) : undefined;
  } catch {
    return undefined;
  }
}

/** Who listens to what. */
export class Listeners {
  #byEvent = new Map();
  #stream = undefined;

  add(name, listener) {
    this.#byEvent.set(name, [...this.#of(name), listener]);
  }

  remove(name, listener) {
    this.#byEvent.set(name, this.#of(name).filter((other) => other !== listener));
  }

  /** A listener may add and remove listeners: that counts from the next event on. */
  dispatch(name, event) {
    for (const listener of this.#of(name)) {
      try {
        listener(event);
      } catch (error) {
        // That concerns neither the others nor the client: the browser reports a broken promise that nobody looks after,
        // as it reports errors of its own listeners.
        Promise.reject(error);
      }
    }
  }

  /** The next message is a fragment of a stream, and this says which. */
  fragment(stream) {
    this.#stream = stream;
  }

  /** A message of text. Without a group it is one of the server. */
  text(group, fromUserId, text) {
    this.#message(group, fromUserId, "text", text);
  }

  /** As `text`. */
  json(group, fromUserId, json) {
    this.#message(group, fromUserId, "json", read(json));
  }

  /** As `text`. The bytes lie in the memory of WebAssembly, and not for long. */
  bytes(group, fromUserId, dataType, bytes) {
    this.#message(group, fromUserId, dataType, bytes.slice().buffer);
  }

  #message(group, fromUserId, dataType, data) {
    if (group === undefined) {
      this.dispatch("server-message", { message: { dataType, data } });
      return;
    }
    const message = { group, fromUserId: fromUserId ?? null, dataType, data };
    if (this.#stream) {
      message.stream = this.#stream;
      this.#stream = undefined;
    }
    this.dispatch("group-message", { message });
  }

  #of(name) {
    return this.#byEvent.get(name) ?? [];
  }
}
