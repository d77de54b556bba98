// Promises and listeners. They live in JavaScript so that a message takes as few calls between JavaScript and
// WebAssembly as possible.

/** Pending promises by number. */
export class Promises {
  #settlers = new Map();
  #createError;

  /** `createError` creates an error from a rejection: `{ class, code, message, errorDetail }`, with `ackId` or `invocationId`. */
  constructor(createError = ({ message }) => new Error(message)) {
    this.#createError = createError;
  }

  /** Creates a promise. */
  create(number) {
    const settlers = { promise: undefined, resolve: undefined, reject: undefined };
    settlers.promise = new Promise((resolve, reject) => {
      settlers.resolve = resolve;
      settlers.reject = reject;
    });
    this.#settlers.set(number, settlers);
    return settlers.promise;
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

  /** Resolves the promise of a request with its ack id. */
  acknowledge(ackId, isDuplicated) {
    this.#take(ackId)?.resolve({ ackId, isDuplicated });
  }

  /** Resolves the promise of a message without an ack id. */
  forget(number) {
    this.#take(number)?.resolve({ isDuplicated: false });
  }

  forgotten() {
    return Promise.resolve({ isDuplicated: false });
  }

  reject(number, rejection) {
    this.#take(number)?.reject(this.#errorOf(number, rejection));
  }

  rejectAll(rejection) {
    const all = [...this.#settlers];
    this.#settlers.clear();
    for (const [number, settlers] of all) settlers.reject(this.#errorOf(number, rejection));
  }

  rejected(rejection) {
    return Promise.reject(this.#createError(rejection));
  }

  error(rejection) {
    return this.#createError(rejection);
  }

  /** Rejects a pending promise. Returns its number. */
  withdraw(promise, rejection) {
    for (const [number, settlers] of this.#settlers) {
      if (settlers.promise === promise) {
        this.reject(number, rejection);
        return number;
      }
    }
    return undefined;
  }

  /** Numbers above 0 are ack ids, or those of invocations. */
  #errorOf(number, rejection) {
    return this.#createError(number > 0 ? { ...rejection, number } : rejection);
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
    const listeners = [...this.#of(name)];
    const last = listeners.lastIndexOf(listener);
    if (last >= 0) listeners.splice(last, 1);
    this.#byEvent.set(name, listeners);
  }

  /** Calls the listeners. Listeners that one of them adds or removes count from the next event on. */
  dispatch(name, event) {
    for (const listener of this.#of(name)) {
      try {
        listener(event);
      } catch (error) {
        // Neither the other listeners nor the client are affected. Browsers report it as they report errors in listeners of
        // their own events; an unhandled rejection would end a process of Node.js.
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }

  /** Sets the stream position of the next message. */
  fragment(stream) {
    this.#stream = stream;
  }

  /** Dispatches a text message: of the server, if `group` is undefined. */
  text(group, fromUserId, sequenceId, text) {
    this.#message(group, fromUserId, sequenceId, "text", text);
  }

  /** Like `text`. */
  json(group, fromUserId, sequenceId, json) {
    this.#message(group, fromUserId, sequenceId, "json", read(json));
  }

  /** Like `text`. `bytes` is a view of the memory of WebAssembly, valid only during this call. */
  bytes(group, fromUserId, sequenceId, dataType, bytes) {
    this.#message(group, fromUserId, sequenceId, dataType, bytes.slice().buffer);
  }

  #message(group, fromUserId, sequenceId, dataType, data) {
    if (group === undefined) {
      this.dispatch("server-message", { message: { kind: "serverData", dataType, data } });
      return;
    }
    const message = { kind: "groupData", group, fromUserId: fromUserId ?? null, sequenceId, dataType, data };
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
