// Streams of groups, as iterables of their fragments: `onGroupStream`.

/** Reports an error of the application as browsers report those in listeners of their own events. */
const report = (error) => (globalThis.reportError ?? console.error)(error);

const IDLE_TIMEOUT_MS = 300_000;
/** Maximum number of fragments of a stream that wait for its reader. One more ends the stream with the error `Overflow`. */
export const MAX_WAITING_FRAGMENTS = 4_096;

/** A stream, as its subscriber receives it. */
class GroupStream {
  #controller = new AbortController();
  #fragments = [];
  #readers = [];
  #end = undefined;

  constructor(groupName, streamId) {
    this.groupName = groupName;
    this.streamId = streamId;
    this.abortSignal = this.#controller.signal;
  }

  [Symbol.asyncIterator]() {
    return { next: () => this.#next() };
  }

  static push(stream, fragment) {
    if (stream.#end) return true;
    const reader = stream.#readers.shift();
    if (reader) reader.resolve({ done: false, value: fragment });
    else if (stream.#fragments.length < MAX_WAITING_FRAGMENTS) stream.#fragments.push(fragment);
    else return false;
    return true;
  }

  static end(stream, error) {
    if (stream.#end) return;
    stream.#end = { error };
    stream.#controller.abort();
    for (const reader of stream.#readers.splice(0)) {
      if (error === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(error);
    }
  }

  #next() {
    if (this.#fragments.length > 0) return Promise.resolve({ done: false, value: this.#fragments.shift() });
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }
}

/** Streams of one subscription. */
class Subscription {
  #callback;
  #options;
  #remove;
  /** Streams by key, with the timer of each. */
  #active = new Map();
  /** Streams of which the beginning is missing, or the callback failed. */
  #ignored = new Set();
  isActive = true;

  constructor(callback, options, remove) {
    this.#callback = callback;
    this.#options = { idleTimeoutInMs: IDLE_TIMEOUT_MS, handleFromStart: false, ...options };
    this.#remove = remove;
  }

  async close() {
    if (!this.isActive) return;
    this.isActive = false;
    this.#remove(this);
    Subscription.endAll(this);
  }

  [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    return this.close();
  }

  static endAll(subscription) {
    for (const { stream, timer } of subscription.#active.values()) {
      clearTimeout(timer);
      GroupStream.end(stream);
    }
    subscription.#active.clear();
    subscription.#ignored.clear();
  }

  static take(subscription, message) {
    subscription.#take(message);
  }

  #take(message) {
    const { group, stream: position } = message;
    const { groupNames, handleFromStart } = this.#options;
    if (groupNames && !groupNames.includes(group)) return;
    const key = JSON.stringify([group, position.streamId]);
    if (this.#ignored.has(key)) {
      if (position.endOfStream) this.#ignored.delete(key);
      return;
    }
    const isNew = !this.#active.has(key);
    if (isNew && handleFromStart && position.streamSequenceId !== 1) {
      if (!position.endOfStream) this.#ignored.add(key);
      return;
    }
    if (isNew && !this.#begin(key, group, position)) return;
    this.#append(key, message);
  }

  /** Passes a new stream to the callback. Returns whether it takes it. */
  #begin(key, group, position) {
    const stream = new GroupStream(group, position.streamId);
    this.#active.set(key, { stream, timer: undefined });
    try {
      Promise.resolve(this.#callback(stream)).catch(report);
      return true;
    } catch (error) {
      this.#active.delete(key);
      if (!position.endOfStream) this.#ignored.add(key);
      GroupStream.end(stream, error);
      report(error);
      return false;
    }
  }

  #append(key, { group, fromUserId, sequenceId, dataType, data, stream: position }) {
    const active = this.#active.get(key);
    // The callback may have closed the subscription.
    if (!active) return;
    clearTimeout(active.timer);
    if (!position.endOfStream || hasContent(dataType, data)) {
      const fragment = { groupName: group, fromUserId, sequenceId, dataType, data, stream: position };
      if (!GroupStream.push(active.stream, fragment)) {
        const message = `more than ${MAX_WAITING_FRAGMENTS} fragments wait to be read`;
        if (!position.endOfStream) this.#ignored.add(key);
        return this.#end(key, { name: "Overflow", message });
      }
    }
    if (position.endOfStream) return this.#end(key, position.error);
    const idle = { name: "IdleTimeout", message: "no fragment arrived within idleTimeoutInMs" };
    active.timer = setTimeout(() => this.#end(key, idle), this.#options.idleTimeoutInMs);
  }

  #end(key, error) {
    const active = this.#active.get(key);
    this.#active.delete(key);
    clearTimeout(active?.timer);
    if (active) GroupStream.end(active.stream, error);
  }
}

function hasContent(dataType, data) {
  if (dataType === "json") return data !== undefined;
  return dataType === "text" ? data.length > 0 : data.byteLength > 0;
}

/** Subscriptions of one client. */
export class GroupStreams {
  #subscriptions = [];

  subscribe(callback, options) {
    const remove = (closed) => (this.#subscriptions = this.#subscriptions.filter((other) => other !== closed));
    const subscription = new Subscription(callback, options, remove);
    this.#subscriptions = [...this.#subscriptions, subscription];
    return subscription;
  }

  /** Passes a message of a group on, if it belongs to a stream. */
  take(message) {
    if (!message.stream) return;
    for (const subscription of this.#subscriptions) {
      if (subscription.isActive) Subscription.take(subscription, message);
    }
  }

  /** Ends all streams: the client has stopped. */
  endAll() {
    for (const subscription of this.#subscriptions) Subscription.endAll(subscription);
  }
}
