// Type checks only: the package's types beyond those of the official one. Lines that must not compile are marked as expected errors.
import init, {
  GroupStreamWriter,
  WebPubSubClient,
  WebPubSubError,
  type ClientEvents,
  type ErrorCode,
  type InvokeEventResult,
  type WebPubSubResult,
} from "webpubsub-client";

await init();
new WebPubSubClient("wss://h/client/hubs/x?access_token=t");
new WebPubSubClient({ getClientAccessUrl: "wss://h/client/hubs/x" });
new WebPubSubClient({ getClientAccessUrl: () => "wss://h/client/hubs/x" }, { protocol: "protobuf" });
const client = new WebPubSubClient({ getClientAccessUrl: async () => "wss://h" }, { groups: ["a"], retryStart: true });

client.on("connected", ({ connectionId, userId }) => [connectionId.length, userId.length]);
client.on("gap", ({ messages }) => (messages ?? 0) + 1);
client.on("connect-failed", ({ code }): ErrorCode => code);
client.on("rejoin-group-failed", ({ group, error }) => group + error.message);
const heard = ({ message }: ClientEvents["group-message"]): void => {
  const { group, fromUserId, dataType, data, stream } = message;
  void [group.length, fromUserId.length, dataType === "text" ? data : null];
  void [stream?.streamId.length, stream?.endOfStream && stream.error?.userErrorCode?.length];
};
client.on("group-message", heard);
client.off("group-message", heard);

const done: Promise<void>[] = [client.start()];
const results: Promise<WebPubSubResult>[] = [client.joinGroup("a"), client.leaveGroup("a")];
results.push(client.sendToGroup("a", { any: "thing" }, "json", { noEcho: true, fireAndForget: false }));
results.push(client.sendEvent("e", new Uint8Array(3), "binary"));
const answer: InvokeEventResult = await client.invokeEvent("add", [1, 2], "json");
void [answer.data, (await client.invokeEvent("now")).dataType];
const stream: GroupStreamWriter = await client.openGroupStream("a", { idleTimeoutInMs: 1_000 });
done.push(stream.write("text", "text"), stream.end(), stream.abort({ userErrorCode: "E1" }), stream.closed);
const isLost = (error: unknown): boolean => error instanceof WebPubSubError && error.code === "ConnectionLost";
void isLost;
client.stop();

// @ts-expect-error there is no such protocol
new WebPubSubClient("/negotiate", { protocol: "xml" });
// @ts-expect-error an object needs the method
new WebPubSubClient({});
// @ts-expect-error there is no such data type
client.sendToGroup("a", "text", "xml");
// @ts-expect-error it needs a data type
client.sendToGroup("a", "text");
// @ts-expect-error content needs a data type
client.invokeEvent("add", [1, 2]);
// @ts-expect-error there is no such event
client.on("message", () => {});
// @ts-expect-error its event has no such member
client.on("connected", ({ message }) => message);
// @ts-expect-error only the client opens streams
new GroupStreamWriter();
