// Type checks only: a program for the official package. The test changes nothing but the name of the package.
import {
  InvocationError,
  SendMessageError,
  WebPubSubClient,
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
  type GroupDataMessage,
  type GroupStream,
  type GroupStreamSubscription,
  type GroupStreamWriter,
  type InvokeEventResult,
  type OnConnectedArgs,
  type OnDisconnectedArgs,
  type OnGroupDataMessageArgs,
  type OnServerDataMessageArgs,
  type WebPubSubClientCredential,
  type WebPubSubClientOptions,
  type WebPubSubDataType,
  type WebPubSubResult,
  type WebPubSubRetryOptions,
} from "@azure/web-pubsub-client";

const retry: WebPubSubRetryOptions = { maxRetries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1000, mode: "Exponential" };
const options: WebPubSubClientOptions = {
  protocol: WebPubSubJsonReliableProtocol(),
  autoReconnect: true,
  autoRejoinGroups: true,
  messageRetryOptions: retry,
  reconnectRetryOptions: retry,
  keepAliveIntervalInMs: 20_000,
  keepAliveTimeoutInMs: 120_000,
};
const credential: WebPubSubClientCredential = {
  getClientAccessUrl: async (options) => (options?.abortSignal?.aborted ? "" : "wss://h/client/hubs/chat"),
};
const client = new WebPubSubClient(credential, options);
new WebPubSubClient("wss://h/client/hubs/chat", { protocol: WebPubSubJsonProtocol() });

const heard = (event: OnGroupDataMessageArgs): void => {
  const message: GroupDataMessage = event.message;
  const dataType: WebPubSubDataType = message.dataType;
  const data: string = dataType === "text" ? (message.data as string) : JSON.stringify(message.data);
  console.log(message.group.length, message.fromUserId.length, data.length, (message.sequenceId ?? 0) + 1);
};
client.on("connected", (event: OnConnectedArgs) => console.log(event.connectionId.length, event.userId.length));
client.on("disconnected", (event: OnDisconnectedArgs) => console.log(event.message?.message.length, event.connectionId?.length));
client.on("server-message", (event: OnServerDataMessageArgs) => console.log(event.message.dataType));
client.on("group-message", heard);
client.on("rejoin-group-failed", ({ group, error }) => console.log(group.length, error.message));
client.on("stopped", () => {});
client.off("group-message", heard);

const abortSignal = new AbortController().signal;
await client.start({ abortSignal });
const results: WebPubSubResult[] = [
  await client.joinGroup("chat", { ackId: 7, abortSignal }),
  await client.sendToGroup("chat", { any: ["thing"] }, "json", { noEcho: true, fireAndForget: false, abortSignal }),
  await client.sendToGroup("chat", new ArrayBuffer(3), "binary"),
  await client.sendEvent("note", "text", "text", { fireAndForget: true }),
  await client.leaveGroup("chat"),
];
console.log(results.map((result) => (result.ackId ?? 0) + Number(result.isDuplicated)));
const answer: InvokeEventResult = await client.invokeEvent("add", [1, 2], "json", { abortSignal });
console.log(answer.invocationId.length, answer.data, answer.dataType);
const writer: GroupStreamWriter = await client.openGroupStream("chat", { noEcho: true, idleTimeoutInMs: 1_000 });
const unregister: () => void = writer.onError((error) => console.log(error.name, error.message));
await writer.write("text", "text", { abortSignal });
await writer.end({ abortSignal });
await writer.abort({ message: "failed", userErrorCode: "E1" });
unregister();
const subscription: GroupStreamSubscription = client.onGroupStream(
  async (stream: GroupStream) => {
    for await (const fragment of stream) console.log(fragment.groupName, fragment.data, fragment.stream.streamSequenceId);
  },
  { groupNames: ["chat"], idleTimeoutInMs: 1_000, handleFromStart: true },
);
await subscription.close();
try {
  await client.joinGroup("closed");
} catch (error) {
  if (error instanceof SendMessageError) console.log(error.name, error.ackId, error.errorDetail?.name);
  if (error instanceof InvocationError) console.log(error.invocationId, error.errorDetail?.message);
}
client.stop();
