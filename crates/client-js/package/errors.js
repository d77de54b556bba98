// Errors of rejected promises. Each has a `code`, which programs can rely on; see the README.

/** Failure of `sendToGroup`, `sendEvent`, `joinGroup` or `leaveGroup`. */
export class SendMessageError extends Error {
  name = "SendMessageError";

  constructor(message, options) {
    super(message);
    this.ackId = options?.ackId;
    this.errorDetail = options?.errorDetail;
    this.code = options?.code ?? "Failed";
  }
}

/** Failure of `invokeEvent`. */
export class InvocationError extends Error {
  name = "InvocationError";

  constructor(message, options) {
    super(message);
    this.invocationId = options?.invocationId ?? "";
    this.errorDetail = options?.errorDetail;
    this.code = options?.code ?? "Failed";
  }
}

/** Any other failure: of the start, of a stream, of an argument. */
export class WebPubSubError extends Error {
  constructor(message, options) {
    super(message);
    // As in the official package, an error of the service gives its name to the failure of a stream.
    this.name = options?.errorDetail?.name ?? "WebPubSubError";
    this.errorDetail = options?.errorDetail;
    this.code = options?.code ?? "Failed";
  }
}

/** Creates the error of a rejection of the core. */
export function createError({ class: name, message, number, ...options }) {
  if (name === "SendMessageError") return new SendMessageError(message, { ...options, ackId: number });
  if (name === "InvocationError") {
    return new InvocationError(message, { ...options, invocationId: number === undefined ? "" : String(number) });
  }
  return new WebPubSubError(message, options);
}

export const invalid = (message) => new WebPubSubError(message, { code: "InvalidArgument" });
