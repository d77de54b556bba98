// Time limit of messages without a connection: `messageRetryOptions`.

/** Rejects the requests that wait for a connection for too long. */
export class MessageDeadline {
  #limit;
  #withdraw;
  #pending = new Set();
  #isConnected = false;
  /** Number of the present interruption. */
  #interruption = 0;

  /** `withdraw` rejects a pending promise. */
  constructor(limit, withdraw) {
    this.#limit = limit;
    this.#withdraw = withdraw;
  }

  connected() {
    this.#isConnected = true;
  }

  /** Begins an interruption, unless there is one. */
  interrupted() {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#interruption += 1;
    for (const promise of this.#pending) this.#schedule(promise);
  }

  /** Observes a request until its promise is settled. */
  watch(promise) {
    this.#pending.add(promise);
    const forget = () => this.#pending.delete(promise);
    promise.then(forget, forget);
    if (!this.#isConnected) this.#schedule(promise);
    return promise;
  }

  #schedule(promise) {
    const interruption = this.#interruption;
    setTimeout(() => {
      const lasts = !this.#isConnected && this.#interruption === interruption;
      if (lasts && this.#pending.has(promise)) this.#withdraw(promise);
    }, this.#limit);
  }
}
