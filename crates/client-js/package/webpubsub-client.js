// The classes of the official package, over the core in WebAssembly.

import { WebPubSubClient as Core } from "./core.js";
import init, { isLoaded } from "./core-loader.js";
import { InvocationError, SendMessageError, WebPubSubError, createError, invalid } from "./errors.js";
import { GroupStreamWriter, abortable } from "./group-stream-writer.js";
import { GroupStreams } from "./group-streams.js";
import { MessageDeadline } from "./message-deadline.js";
import { coreOptions, messageTimeLimit } from "./options.js";

export { init as default };
export { InvocationError, SendMessageError, WebPubSubError } from "./errors.js";
export {
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
  WebPubSubProtobufProtocol,
  WebPubSubProtobufReliableProtocol,
} from "./protocols.js";

const CANCELLED = "Cancelled by abortSignal";

/** A client of one hub. A started client runs until it is stopped, even if nothing references it. */
export class WebPubSubClient {
  #source;
  #options;
  #core = undefined;
  /** Listeners that were added before the core was loaded: events and functions. */
  #listeners = [];
  /** Start that waits for the core. */
  #loading = undefined;
  #streams = undefined;
  #deadline = undefined;
  #writers = new Set();

  constructor(source, options) {
    this.#source = source;
    const given = options ?? {};
    this.#options = coreOptions(given);
    const limit = messageTimeLimit(given);
    if (limit !== undefined) this.#limitMessages(limit);
    if (isLoaded()) this.#createCore();
  }

  start(options) {
    const signal = options?.abortSignal;
    const cancelled = () => new WebPubSubError(CANCELLED, { code: "Aborted" });
    if (signal?.aborted) return Promise.reject(cancelled());
    const started = this.#core ? this.#core.start() : this.#load();
    const stop = () => this.stop();
    signal?.addEventListener("abort", stop);
    const remove = () => signal?.removeEventListener("abort", stop);
    started.then(remove, remove);
    return abortable(started, signal, cancelled);
  }

  stop() {
    if (this.#core) this.#core.stop();
    else this.#loading?.cancel();
  }

  joinGroup(groupName, options) {
    return this.#request((core) => core.joinGroup(groupName), options?.abortSignal);
  }

  leaveGroup(groupName, options) {
    return this.#request((core) => core.leaveGroup(groupName), options?.abortSignal);
  }

  sendToGroup(groupName, content, dataType, options) {
    return this.#request((core) => core.sendToGroup(groupName, content, dataType, options), options?.abortSignal);
  }

  sendEvent(eventName, content, dataType, options) {
    return this.#request((core) => core.sendEvent(eventName, content, dataType, options), options?.abortSignal);
  }

  invokeEvent(eventName, content, dataType, options) {
    const signal = options?.abortSignal;
    const cancelled = { class: "InvocationError", code: "Aborted", message: CANCELLED };
    if (signal?.aborted) return Promise.reject(createError(cancelled));
    return this.#call(InvocationError, (core) => {
      const answer = core.invokeEvent(eventName, content, dataType);
      return withSignal(answer, signal, () => core.withdrawInvocation(answer, cancelled));
    });
  }

  async openGroupStream(groupName, options) {
    const streamId = options?.streamId ?? newStreamId();
    if (this.#writers.has(streamId)) throw invalid(`Stream '${streamId}' already exists.`);
    this.#writers.add(streamId);
    const forget = () => this.#writers.delete(streamId);
    try {
      const open = (core) => core.openGroupStream(groupName, { ...options, streamId });
      const writer = await this.#call(WebPubSubError, open);
      writer.closed.then(forget, forget);
      return new GroupStreamWriter(writer, streamId);
    } catch (error) {
      forget();
      throw error;
    }
  }

  onGroupStream(callback, options) {
    if (!this.#streams) {
      this.#streams = new GroupStreams();
      this.on("group-message", ({ message }) => this.#streams.take(message));
      this.on("stopped", () => this.#streams.endAll());
    }
    return this.#streams.subscribe(callback, options);
  }

  on(event, listener) {
    if (typeof listener !== "function") throw invalid("a listener must be a function");
    if (this.#core) this.#core.on(event, listener);
    else this.#listeners.push([event, listener]);
  }

  off(event, listener) {
    if (this.#core) return this.#core.off(event, listener);
    const at = this.#listeners.findLastIndex((added) => added[0] === event && added[1] === listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  free() {
    this.#core?.free();
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    this.free();
  }

  /** Loads the core and starts it. Requests wait for it. */
  #load() {
    if (this.#loading) return Promise.reject(createError(ALREADY_STARTED));
    let isCancelled = false;
    const loaded = init().then(() => {
      if (!this.#core) this.#createCore();
      if (isCancelled) throw new WebPubSubError("the client has stopped", { code: "Stopped" });
      // In an object, since its promise is not awaited here.
      return { started: this.#core.start() };
    });
    const forget = () => (this.#loading = undefined);
    loaded.then(forget, forget);
    this.#loading = { loaded, cancel: () => (isCancelled = true) };
    return loaded.then(({ started }) => started);
  }

  #createCore() {
    this.#core = new Core(this.#source, this.#options, createError);
    for (const [event, listener] of this.#listeners.splice(0)) this.#core.on(event, listener);
  }

  /** Calls the core, after it is loaded if it is loading. */
  #call(ErrorClass, call) {
    if (this.#core) return call(this.#core);
    if (this.#loading) return this.#loading.loaded.then(() => call(this.#core));
    return Promise.reject(new ErrorClass("the client was not started", { code: "NotStarted" }));
  }

  /** Sends a request, which the signal and the deadline withdraw. */
  #request(send, signal) {
    if (!signal && !this.#deadline) return this.#call(SendMessageError, send);
    const cancelled = { class: "SendMessageError", code: "Aborted", message: CANCELLED };
    if (signal?.aborted) return Promise.reject(createError(cancelled));
    return this.#call(SendMessageError, (core) => {
      const sent = send(core);
      this.#deadline?.watch(sent);
      return withSignal(sent, signal, () => core.withdraw(sent, cancelled));
    });
  }

  #limitMessages(limit) {
    const message = "there was no connection within the time of messageRetryOptions";
    const late = { class: "SendMessageError", code: "NotConnected", message };
    this.#deadline = new MessageDeadline(limit, (promise) => this.#core?.withdraw(promise, late));
    for (const event of ["connected", "recovered"]) this.on(event, () => this.#deadline.connected());
    for (const event of ["disconnected", "recovering"]) this.on(event, () => this.#deadline.interrupted());
  }
}

const ALREADY_STARTED = {
  class: "WebPubSubError",
  code: "AlreadyStarted",
  message: "the client runs already; after stop(), wait for the event `stopped`",
};

/** Calls `withdraw` when the signal is aborted before the promise is settled. */
function withSignal(promise, signal, withdraw) {
  if (signal) {
    signal.addEventListener("abort", withdraw);
    const remove = () => signal.removeEventListener("abort", withdraw);
    promise.then(remove, remove);
  }
  return promise;
}

/** `crypto` is neither in Node.js 18 nor complete outside of secure contexts. */
function newStreamId() {
  const words = Array.from({ length: 4 }, () => Math.floor(Math.random() * 2 ** 32));
  return words.map((word) => word.toString(16).padStart(8, "0")).join("");
}
