// A program for the official package. The test runs it on both packages and compares what it prints: every result, error and event.
// Not compared are the documented differences: ids of what was not sent, the names of unnamed errors, and `sequenceId` of server messages.
//
// arguments: name of the package, connection string, address where nothing listens
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const [, , name, connectionString, nowhere] = process.argv;
const { InvocationError, SendMessageError, WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } =
  await import(name);
const service = new WebPubSubServiceClient(connectionString, "chat", { allowInsecureConnection: true });
const roles = ["webpubsub.joinLeaveGroup.chat", "webpubsub.sendToGroup.chat", "webpubsub.joinLeaveGroup.more"];
const accessUrl = async (options) => (await service.getClientAccessToken({ userId: "ada", roles, ...options })).url;

const print = (title, value) => console.log(title, JSON.stringify(value, (_, it) => (it === undefined ? "undefined" : it)));
const type = (value) => (value === null ? "null" : typeof value);
const result = ({ ackId, isDuplicated, ...others }) => ({ ackId: type(ackId), isDuplicated, others });
const once = (client, event) => new Promise((done) => client.on(event, done));
const bytes = (data) => (data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data);
const message = ({ kind, group, dataType, data, fromUserId, sequenceId, stream }) => ({
  kind, group, dataType, data: bytes(data), fromUserId, sequenceId: kind === "groupData" && type(sequenceId),
  stream: stream && { number: stream.streamSequenceId, end: Boolean(stream.endOfStream), error: stream.error },
});
async function outcome(title, promise, show = result) {
  try {
    print(title, show(await promise));
  } catch (error) {
    const { errorDetail } = error;
    const isOf = [SendMessageError, InvocationError].filter((its) => error instanceof its).map((its) => its.name);
    const name = ["Error", "WebPubSubError"].includes(error.name) ? "unnamed" : error.name;
    const detail = isOf.length > 0 && errorDetail && [errorDetail.name, type(errorDetail.message), type(error.ackId), type(error.invocationId)];
    print(title, { name, isOf, isError: error instanceof Error, detail });
  }
}

// A function, since the official package writes its defaults into the options.
const noRetries = () => ({ messageRetryOptions: { maxRetries: 0 } });

async function messages(protocol) {
  const client = new WebPubSubClient({ getClientAccessUrl: accessUrl }, { protocol, ...noRetries() });
  const events = [];
  const received = [];
  for (const event of ["disconnected", "stopped", "rejoin-group-failed"]) client.on(event, () => events.push(event));
  client.on("group-message", (event) => received.push(message(event.message)));
  client.on("server-message", (event) => received.push(message(event.message)));
  const connected = once(client, "connected");
  await client.start();
  const { connectionId, userId } = await connected;
  print("connected", [type(connectionId), userId]);
  await outcome("join", client.joinGroup("chat"));
  await outcome("join again", client.joinGroup("chat", {}));
  await outcome("text", client.sendToGroup("chat", "é", "text"));
  await outcome("json", client.sendToGroup("chat", { n: [1, "two"] }, "json", { noEcho: false }));
  await outcome("binary", client.sendToGroup("chat", new Uint8Array([0, 255]).buffer, "binary"));
  await outcome("no echo", client.sendToGroup("chat", "unheard", "text", { noEcho: true }));
  await outcome("forgotten", client.sendToGroup("chat", "forgotten", "text", { fireAndForget: true }));
  await outcome("event", client.sendEvent("note", "text", "text"));
  await outcome("forgotten event", client.sendEvent("note", { a: 1 }, "json", { fireAndForget: true }));
  await outcome("forbidden join", client.joinGroup("closed"));
  await outcome("forbidden message", client.sendToGroup("closed", "x", "text"));
  await outcome("aborted", client.joinGroup("more", { abortSignal: AbortSignal.abort() }));
  await outcome("invocation", client.invokeEvent("add", [1, 2], "json"), ({ invocationId, ...others }) => [type(invocationId), others]);
  await outcome("unhandled invocation", client.invokeEvent("other", [1, 2], "json"));
  await outcome("aborted invocation", client.invokeEvent("add", [1, 2], "json", { abortSignal: AbortSignal.abort() }));
  await service.sendToAll("to all", { contentType: "text/plain" });
  await outcome("leave", client.leaveGroup("chat"));
  await outcome("after leaving", client.sendToGroup("chat", "unheard", "text"));
  await new Promise((done) => {
    const poll = setInterval(() => received.length >= 5 && (clearInterval(poll), done()), 10);
  });
  print("received", received);
  await outcome("start of a started client", client.start(), type);
  const stopped = once(client, "stopped");
  client.stop();
  await stopped;
  print("events", events);
  const again = once(client, "connected");
  await client.start();
  await again;
  const end = once(client, "stopped");
  client.stop();
  await end;
}

async function streams() {
  const client = new WebPubSubClient(await accessUrl(), noRetries());
  await client.start();
  await client.joinGroup("chat");
  const seen = [];
  const all = new Promise((done) => {
    client.onGroupStream(async (stream) => {
      const fragments = [];
      try {
        for await (const { groupName, fromUserId, dataType, data } of stream) {
          fragments.push([groupName, fromUserId, dataType, data]);
        }
        seen.push({ fragments, aborted: stream.abortSignal.aborted });
      } catch (error) {
        seen.push({ fragments, error: { name: error.name, message: error.message } });
      }
      if (seen.length === 2) done();
    });
  });
  const writer = await client.openGroupStream("chat", { streamId: "first", idleTimeoutInMs: 60_000 });
  print("stream", [writer.streamId, Object.keys(writer).includes("closed")].slice(0, 1));
  await outcome("write", writer.write("one", "text"), type);
  await outcome("write", writer.write({ two: 2 }, "json"), type);
  await outcome("end", writer.end(), type);
  await outcome("write after the end", writer.write("x", "text"), type);
  const failing = await client.openGroupStream("chat");
  print("stream id", type(failing.streamId));
  await failing.write("one", "text");
  await outcome("abort", failing.abort({ message: "failed", userErrorCode: "E1" }), type);
  await all;
  print("streams", seen);
  await outcome("stream to a closed group", client.openGroupStream("closed", { idleTimeoutInMs: 1_000 }).then((it) => it.write("x", "text")), type);
  const subscription = client.onGroupStream(() => {}, { groupNames: ["chat"], handleFromStart: true });
  print("subscription", subscription.isActive);
  await subscription.close();
  print("subscription", subscription.isActive);
  const stopped = once(client, "stopped");
  client.stop();
  await stopped;
}

/** Drops the client's connection by the service, which rules out its recovery. */
async function drop(client, events) {
  const connected = once(client, "connected");
  await client.start();
  const { connectionId } = await connected;
  await client.joinGroup("chat");
  events.length = 0;
  await service.closeConnection(connectionId, { reason: "test" });
}

async function reconnection() {
  const retry = { maxRetries: 5, retryDelayInMs: 50 };
  for (const autoRejoinGroups of [true, false]) {
    const options = { autoRejoinGroups, reconnectRetryOptions: { ...retry }, ...noRetries() };
    const client = new WebPubSubClient({ getClientAccessUrl: accessUrl }, options);
    const events = [];
    for (const event of ["connected", "disconnected", "stopped"]) client.on(event, () => events.push(event));
    await drop(client, events);
    await once(client, "connected");
    const heard = [];
    client.on("group-message", (event) => heard.push(event.message.data));
    client.on("server-message", () => heard.push("to all"));
    await outcome("message of the new connection", client.sendToGroup("chat", "heard", "text"));
    const asked = once(client, "server-message");
    await service.sendToAll("marker", { contentType: "text/plain" });
    await asked;
    print(`autoRejoinGroups: ${autoRejoinGroups}`, [events, heard]);
    const stopped = once(client, "stopped");
    client.stop();
    await stopped;
  }
  const client = new WebPubSubClient({ getClientAccessUrl: accessUrl }, { autoReconnect: false });
  const events = [];
  const stopped = once(client, "stopped");
  for (const event of ["connected", "disconnected", "stopped"]) client.on(event, () => events.push(event));
  let message;
  client.on("disconnected", (event) => (message = [type(event.connectionId), event.message?.kind]));
  await drop(client, events);
  await stopped;
  print("autoReconnect: false", [events, message]);
}

async function failures() {
  const events = [];
  const client = new WebPubSubClient(nowhere);
  client.on("stopped", () => events.push("stopped"));
  await outcome("unreachable", client.start(), type);
  const failing = new WebPubSubClient({ getClientAccessUrl: () => Promise.reject(new Error("no URL")) });
  failing.on("stopped", () => events.push("stopped"));
  await outcome("no URL", failing.start().catch((error) => Promise.reject(new Error(error.message))), type);
  print("events of failed starts", events);
  await outcome("message before the start", new WebPubSubClient(nowhere, noRetries()).joinGroup("chat"));
  for (const options of [{ keepAliveTimeoutInMs: -1 }, { keepAliveIntervalInMs: -1 }]) {
    try {
      new WebPubSubClient(nowhere, options);
      print("invalid option", "accepted");
    } catch (error) {
      print("invalid option", [error.name, error.message]);
    }
  }
  const protocols = [WebPubSubJsonProtocol(), WebPubSubJsonReliableProtocol()];
  print("protocols", protocols.map(({ name, isReliableSubProtocol }) => [name, isReliableSubProtocol]));
  const error = new SendMessageError("text", { ackId: 3, errorDetail: { name: "n", message: "m" } });
  print("error", [error.name, error.message, error.ackId, error.errorDetail]);
  const invocation = new InvocationError("text", { invocationId: "4" });
  print("error", [invocation.name, invocation.invocationId]);
}

await messages(WebPubSubJsonReliableProtocol());
await messages(WebPubSubJsonProtocol());
await streams();
await reconnection();
await failures();
process.exit(0);
