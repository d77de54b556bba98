// A client whose attempts fail: the process goes on, and each failure is reported at once.
import { WebPubSubClient } from "webpubsub-client";

const [, , nowhere] = process.argv;
const first = new WebPubSubClient(nowhere);
const refused = await first.start().catch((error) => error);
const retrying = new WebPubSubClient(nowhere, { retryStart: true, reconnectRetryOptions: { retryDelayInMs: 10 } });
let attempts = 0;
await new Promise((done) => {
  retrying.on("connect-failed", ({ code }) => {
    if (code !== "ConnectionRefused") throw new Error(code);
    attempts += 1;
    if (attempts === 3) done();
  });
  retrying.start().catch(() => {});
});
retrying.stop();
console.log(refused.name, refused.code, attempts);
