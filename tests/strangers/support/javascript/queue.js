// Queues of received values.

/** Asynchronous queue, which stores values until they are taken. */
class Queue {
  #values = [];
  #readers = [];

  push(value) {
    const reader = this.#readers.shift();
    if (reader) reader(value);
    else this.#values.push(value);
  }

  /** Waits for the next value. */
  next() {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Waits for the next `count` values. */
  async take(count) {
    const values = [];
    while (values.length < count) values.push(await this.next());
    return values;
  }

  /** Waits for the next value that satisfies `wanted`, and drops earlier ones. */
  async until(wanted) {
    for (;;) {
      const value = await this.next();
      if (wanted(value)) return value;
    }
  }

  /** Returns all queued values. */
  rest() {
    return this.#values.splice(0);
  }
}

/** Polls `condition`, for effects after the response of the service. */
async function eventually(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Waits for a real delay, in tests of time limits only. */
const passed = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

module.exports = { Queue, eventually, passed };
