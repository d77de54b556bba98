// Options of the official package, as the core has them.

import { invalid } from "./errors.js";
import { protocolName } from "./protocols.js";

/** Values of the official package for what an application leaves out of its retry options. */
const RETRY = { maxRetries: 3, retryDelayInMs: 1_000, maxRetryDelayInMs: 30_000, mode: "Fixed" };
/** Limit of a time: that of a timer. */
const MAX_MS = 2 ** 31 - 1;

/** Returns the options of the core. */
export function coreOptions(given) {
  const { groups, autoReconnect, autoRejoinGroups, retryStart, reconnectRetryOptions } = given;
  const [interval, timeout] = keepAlive(given);
  const options = {
    groups: groups ?? undefined,
    protocol: protocolName(given.protocol),
    reconnects: autoReconnect !== false,
    rejoins: autoRejoinGroups !== false,
    retriesStart: Boolean(retryStart),
    pingIntervalMs: interval,
    pongTimeoutMs: timeout,
  };
  if (reconnectRetryOptions) {
    const { maxRetries, retryDelayInMs, maxRetryDelayInMs, mode } = retry(reconnectRetryOptions, Infinity);
    if (Number.isFinite(maxRetries) && maxRetries < MAX_MS) options.maxRetries = maxRetries;
    options.firstPauseMs = retryDelayInMs;
    options.longestPauseMs = mode === "Fixed" ? retryDelayInMs : Math.max(retryDelayInMs, maxRetryDelayInMs);
  }
  return options;
}

/** Returns the time without a connection after which messages fail; `undefined` for none. */
export function messageTimeLimit({ messageRetryOptions }) {
  if (!messageRetryOptions) return undefined;
  const { maxRetries, retryDelayInMs, maxRetryDelayInMs, mode } = retry(messageRetryOptions, RETRY.maxRetries);
  let limit = 0;
  for (let attempt = 0; attempt < maxRetries && limit < MAX_MS; attempt += 1) {
    const delay = retryDelayInMs * (mode === "Fixed" ? 1 : 2 ** attempt);
    limit += mode === "Fixed" ? delay : Math.min(delay, Math.max(retryDelayInMs, maxRetryDelayInMs));
    if (delay === 0) break;
  }
  return Math.min(limit, MAX_MS);
}

function retry(given, maxRetries) {
  const number = (name, other) => {
    const value = given[name];
    if (value === undefined || value === null || value < 0) return other;
    if (typeof value !== "number" || Number.isNaN(value)) throw invalid(`\`${name}\` must be a number`);
    return Math.min(Math.round(value), name === "maxRetries" ? Infinity : MAX_MS);
  };
  const mode = given.mode ?? RETRY.mode;
  if (mode !== "Fixed" && mode !== "Exponential") throw invalid('`mode` must be "Fixed" or "Exponential"');
  return {
    maxRetries: number("maxRetries", maxRetries),
    retryDelayInMs: number("retryDelayInMs", RETRY.retryDelayInMs),
    maxRetryDelayInMs: number("maxRetryDelayInMs", RETRY.maxRetryDelayInMs),
    mode,
  };
}

/**
 * Returns the interval of pings and the time that an answer may take. The official package measures its timeout from the last frame,
 * the core from the ping.
 */
function keepAlive({ keepAliveIntervalInMs: interval, keepAliveTimeoutInMs: timeout }) {
  for (const [name, value] of Object.entries({ keepAliveIntervalInMs: interval, keepAliveTimeoutInMs: timeout })) {
    if (value === undefined || value === null) continue;
    if (typeof value !== "number" || !(value >= 0)) {
      throw new RangeError(`${name} must be greater than or equal to 0.`);
    }
  }
  const whole = (value) => (value == null ? undefined : Math.min(Math.round(value), MAX_MS));
  if (timeout == null) return [whole(interval), undefined];
  const PING_INTERVAL_MS = 20_000;
  return [whole(interval), timeout === 0 ? 0 : Math.max(whole(timeout - (interval || PING_INTERVAL_MS)), 1_000)];
}
