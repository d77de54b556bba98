// An open stream to a group.

import { WebPubSubError } from "./errors.js";

const aborted = () => new WebPubSubError("Cancelled by abortSignal", { code: "Aborted" });

/** Returns a promise that is also rejected when the signal is aborted. */
export function abortable(promise, signal, error = aborted) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(error());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    const remove = () => signal.removeEventListener("abort", abort);
    promise.then(resolve, reject);
    promise.then(remove, remove);
  });
}

/** A stream that is garbage-collected before its end is aborted. */
export class GroupStreamWriter {
  #core;

  constructor(core, streamId) {
    this.#core = core;
    this.streamId = streamId;
  }

  /** Settles when the stream has ended, whoever ended it. */
  get closed() {
    return this.#core.closed;
  }

  write(content, dataType, options) {
    if (options?.abortSignal?.aborted) return Promise.reject(aborted());
    return abortable(this.#core.write(content, dataType), options?.abortSignal);
  }

  end(options) {
    if (options?.abortSignal?.aborted) return Promise.reject(aborted());
    return abortable(this.#core.end(), options?.abortSignal);
  }

  abort(error, options) {
    if (options?.abortSignal?.aborted) return Promise.reject(aborted());
    return abortable(this.#core.abort(error), options?.abortSignal);
  }

  /** Calls the listener if the stream ends early. Returns a function that removes the listener. */
  onError(listener) {
    let isActive = true;
    this.#core.closed.catch((error) => {
      const { name, message } = error.errorDetail ?? error;
      if (isActive) listener({ name, message });
    });
    return () => (isActive = false);
  }

  free() {
    this.#core.free();
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    this.free();
  }
}
