// What comes from outside, in the order in which it comes.

/** A queue that is waited on: nothing that came before somebody looked is lost. */
class Queue {
  #values = [];
  #readers = [];

  push(value) {
    const reader = this.#readers.shift();
    if (reader) reader(value);
    else this.#values.push(value);
  }

  /** The next value, now or later. */
  next() {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** The next `count` values. */
  async take(count) {
    const values = [];
    while (values.length < count) values.push(await this.next());
    return values;
  }

  /** The next value for which `wanted` holds; those before it are dropped. */
  async until(wanted) {
    for (;;) {
      const value = await this.next();
      if (wanted(value)) return value;
    }
  }

  /** Everything that has come and that nobody has looked at. */
  rest() {
    return this.#values.splice(0);
  }
}

/** Asks again and again until `condition` holds: for what the service does after it has answered. */
async function eventually(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Lets time pass: only for what is about time itself. */
const passed = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

module.exports = { Queue, eventually, passed };
