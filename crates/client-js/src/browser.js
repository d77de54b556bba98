// Promises and listeners. They live in JavaScript so that a message takes as few calls between JavaScript and
// WebAssembly as possible.

/** Pending promises by number. */
export class Promises {
  #settlers = new Map();

  /** Creates a promise. */
  create(number) {
    return new Promise((resolve, reject) => this.#settlers.set(number, { resolve, reject }));
  }

  /** Changes the number of a promise. */
  renumber(number, other) {
    this.#settlers.set(other, this.#take(number));
  }

  /** Creates a promise whose rejection is not reported as unhandled. */
  createHandled(number) {
    const promise = this.create(number);
    promise.catch(() => {});
    return promise;
  }

  resolve(number, value) {
    this.#take(number)?.resolve(value);
  }

  reject(number, message) {
    this.#take(number)?.reject(new Error(message));
  }

  rejectAll(message) {
    const all = [...this.#settlers.values()];
    this.#settlers.clear();
    for (const settlers of all) settlers.reject(new Error(message));
  }

  #take(number) {
    const settlers = this.#settlers.get(number);
    this.#settlers.delete(number);
    return settlers;
  }
}

/** Parses JSON that the service relays. Returns what is no JSON as it is. */
export function read(json) {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

const DATA_TYPES = ["text", "json", "binary", "protobuf"];

/** Returns the index of a data type; -1 for an unknown one. */
export function dataTypeOf(name) {
  return DATA_TYPES.indexOf(name);
}

/**
 * Returns the bytes of a buffer or of a view of one, which may be of another window; `undefined` for other values and for
 * detached buffers.
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

/** Listeners by the name of their event. */
export class Listeners {
  #byEvent = new Map();
  #stream = undefined;

  add(name, listener) {
    this.#byEvent.set(name, [...this.#of(name), listener]);
  }

  remove(name, listener) {
    this.#byEvent.set(name, this.#of(name).filter((other) => other !== listener));
  }

  /** Calls the listeners. Listeners that one of them adds or removes count from the next event on. */
  dispatch(name, event) {
    for (const listener of this.#of(name)) {
      try {
        listener(event);
      } catch (error) {
        // Neither the other listeners nor the client are affected: the browser reports an unhandled rejection, as it
        // reports errors in listeners of its own events.
        Promise.reject(error);
      }
    }
  }

  /** Sets the stream position of the next message. */
  fragment(stream) {
    this.#stream = stream;
  }

  /** Dispatches a text message: of the server, if `group` is undefined. */
  text(group, fromUserId, text) {
    this.#message(group, fromUserId, "text", text);
  }

  /** Like `text`. */
  json(group, fromUserId, json) {
    this.#message(group, fromUserId, "json", read(json));
  }

  /** Like `text`. `bytes` is a view of the memory of WebAssembly, valid only during this call. */
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
