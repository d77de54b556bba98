// Runs operations and prints their outcomes, one JSON object per line.

const { Scene } = require("./scene.js");

/** Timeout of an operation, in milliseconds. It is generous, because a test must not fail on a loaded machine. */
const PATIENCE = 20_000;
/** Number of concurrent operations. Each has a separate hub. */
const AT_ONCE = 8;

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Returns the reason of a failure as one line. */
function reason(error) {
  const words = error?.errorDetail?.message ?? error?.message ?? String(error);
  return words.replace(/\s+/g, " ").trim().slice(0, 300) || error.name;
}

async function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Operations of all SDKs, and their outcomes. */
class Report {
  #waiting = [];

  constructor(servers) {
    this.servers = servers;
  }

  /** Returns the operations of one SDK with these public methods. */
  of(sdk, methods) {
    tell({ sdk, version: require(`${sdk}/package.json`).version, methods });
    return (operation, covers, act) => this.#waiting.push({ sdk, operation, covers, act });
  }

  /** Runs all operations, and prints their outcomes in order. */
  async run() {
    const outcomes = [];
    let [next, told] = [0, 0];
    const work = async () => {
      while (next < this.#waiting.length) {
        const number = next++;
        outcomes[number] = await this.#outcome(this.#waiting[number], number);
        for (; outcomes[told] !== undefined; ++told) {
          const { sdk, operation, covers } = this.#waiting[told];
          tell({ sdk, operation, covers, outcome: outcomes[told] });
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #outcome({ act }, number) {
    const scene = new Scene(this.servers, `hub${number}`);
    try {
      await inTime(act(scene));
      return "works";
    } catch (error) {
      return reason(error);
    } finally {
      scene.close();
    }
  }
}

module.exports = { Report };
