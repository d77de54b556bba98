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

  resolve(number) {
    this.#take(number)?.resolve();
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

/** Who listens to what. */
export class Listeners {
  #byEvent = new Map();

  add(name, listener) {
    this.#byEvent.set(name, [...this.#of(name), listener]);
  }

  remove(name, listener) {
    this.#byEvent.set(name, this.#of(name).filter((other) => other !== listener));
  }

  /** A listener may add and remove listeners: that counts from the next event on. */
  tell(name, event) {
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

  /** A message of text. Without a group it is one of the server. */
  text(group, fromUserId, text) {
    this.#message(group, fromUserId, "text", text);
  }

  /** As `text`. What the service relays was JSON when it was sent; what is not is shown as it came. */
  json(group, fromUserId, json) {
    let data = json;
    try {
      data = JSON.parse(json);
    } catch {}
    this.#message(group, fromUserId, "json", data);
  }

  /** As `text`. The bytes lie in the memory of WebAssembly, and not for long. */
  bytes(group, fromUserId, dataType, bytes) {
    this.#message(group, fromUserId, dataType, bytes.slice().buffer);
  }

  #message(group, fromUserId, dataType, data) {
    if (group === undefined) this.tell("server-message", { message: { dataType, data } });
    else this.tell("group-message", { message: { group, fromUserId: fromUserId ?? null, dataType, data } });
  }

  #of(name) {
    return this.#byEvent.get(name) ?? [];
  }
}
