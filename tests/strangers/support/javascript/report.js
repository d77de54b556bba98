// Runs operations and tells their outcomes, one JSON object a line.

const { Scene } = require("./scene.js");

/** How long one operation may take, in milliseconds. Generous, because a loaded machine is no failure. */
const PATIENCE = 20_000;
/** How many operations run at once: each has a hub of its own, so that they do not meet. */
const AT_ONCE = 8;

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** The reason of a failure, in one line. */
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

/** The operations of all SDKs, and how they went. */
class Report {
  #waiting = [];

  constructor(servers) {
    this.servers = servers;
  }

  /** The operations of one SDK, which has these public methods. */
  of(sdk, methods) {
    tell({ sdk, version: require(`${sdk}/package.json`).version, methods });
    return (operation, covers, act) => this.#waiting.push({ sdk, operation, covers, act });
  }

  /** Runs every operation; tells each as soon as those before it are told. */
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
