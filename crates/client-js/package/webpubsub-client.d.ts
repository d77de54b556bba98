/// <reference lib="esnext.disposable" />

/** Signal by which an application cancels an operation: an `AbortSignal`, for example. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: (this: AbortSignalLike, event: any) => any, options?: any): void;
  removeEventListener(type: "abort", listener: (this: AbortSignalLike, event: any) => any, options?: any): void;
}

/** Content that can be sent as JSON. */
export type JSONTypes = string | number | boolean | object;
export type WebPubSubDataType = "binary" | "json" | "text" | "protobuf";
export type DataType = WebPubSubDataType;

/** Kind of a failure, for programs. The README describes each. */
export type ErrorCode =
  | "Aborted"
  | "AlreadyStarted"
  | "ConnectionLost"
  | "ConnectionRefused"
  | "CredentialFailed"
  | "Failed"
  | "InvalidAnswer"
  | "InvalidArgument"
  | "InvalidUrl"
  | "NegotiateStatus"
  | "NotConnected"
  | "NotStarted"
  | "OriginNotAllowed"
  | "QueueFull"
  | "Refused"
  | "Stopped"
  | "StreamEnded"
  | "TimedOut"
  | "TooLarge"
  | "Unreachable"
  | "Unsupported"
  | "Untrusted";

/** Error of the service. */
export interface AckMessageError {
  name: string;
  message: string;
}
export type InvokeResponseError = AckMessageError;

export interface SendMessageErrorOptions {
  ackId?: number;
  errorDetail?: AckMessageError;
  code?: ErrorCode;
}

/** Failure of `sendToGroup`, `sendEvent`, `joinGroup` or `leaveGroup`. */
export class SendMessageError extends Error {
  constructor(message: string, options: SendMessageErrorOptions);
  name: string;
  /** Id of the message, if it was sent or waited to be sent. */
  ackId?: number;
  /** Error of the service, if it refused the message. */
  errorDetail?: AckMessageError;
  readonly code: ErrorCode;
}

export interface InvocationErrorOptions {
  invocationId: string;
  errorDetail?: InvokeResponseError;
  code?: ErrorCode;
}

/** Failure of `invokeEvent`. */
export class InvocationError extends Error {
  constructor(message: string, options: InvocationErrorOptions);
  /** Id of the invocation; empty if it was not sent. */
  invocationId: string;
  /** Error of the service or the application's server, if there is one. */
  errorDetail?: InvokeResponseError;
  readonly code: ErrorCode;
}

export interface WebPubSubErrorOptions {
  errorDetail?: AckMessageError;
  code?: ErrorCode;
}

/** Any other failure: of the start, of a stream, of an argument. */
export class WebPubSubError extends Error {
  constructor(message: string, options?: WebPubSubErrorOptions);
  errorDetail?: AckMessageError;
  readonly code: ErrorCode;
}

/** A subprotocol. The client reads and writes frames itself: the methods throw. */
export interface WebPubSubClientProtocol {
  readonly name: string;
  readonly isReliableSubProtocol: boolean;
  parseMessages(input: any): any;
  writeMessage(message: any): string | ArrayBuffer;
}

export function WebPubSubJsonProtocol(): WebPubSubClientProtocol;
export function WebPubSubJsonReliableProtocol(): WebPubSubClientProtocol;
export function WebPubSubProtobufProtocol(): WebPubSubClientProtocol;
export function WebPubSubProtobufReliableProtocol(): WebPubSubClientProtocol;

export type ProtocolName = "json.reliable" | "json" | "protobuf.reliable" | "protobuf";
export type RetryMode = "Exponential" | "Fixed";

export interface WebPubSubRetryOptions {
  /** Default: 3 for messages, unlimited for connections. */
  maxRetries?: number;
  /** Default: 1,000. */
  retryDelayInMs?: number;
  /** Limit of the delay in the mode `Exponential`. Default: 30,000. */
  maxRetryDelayInMs?: number;
  /** Default: `Fixed`. */
  mode?: RetryMode;
}

export interface WebPubSubClientOptions {
  /** Subprotocol to offer first; the service may choose another one that is offered. Default: `json.reliable`. */
  protocol?: WebPubSubClientProtocol | ProtocolName;
  /** Groups to join on each new connection. */
  groups?: string[];
  /** Whether a lost connection that cannot be recovered is replaced. Default: true. */
  autoReconnect?: boolean;
  /** Whether groups are joined again on a new connection. Default: true. */
  autoRejoinGroups?: boolean;
  /** Whether `start()` tries again after a temporary failure. Default: false. */
  retryStart?: boolean;
  /** Messages fail after as long without a connection as these retries take. Default: they wait. */
  messageRetryOptions?: WebPubSubRetryOptions;
  /** Pauses between attempts to replace a lost connection, and their number. Each pause is random in its upper half. */
  reconnectRetryOptions?: WebPubSubRetryOptions;
  /** Time without a frame after which a connection counts as lost; 0 for none. Default: 10 seconds after a ping. */
  keepAliveTimeoutInMs?: number;
  /** Time without a frame after which the service is pinged; 0 for none. Default: 20,000. */
  keepAliveIntervalInMs?: number;
}
export type ClientOptions = WebPubSubClientOptions;

export interface GetClientAccessUrlOptions {
  abortSignal?: AbortSignalLike;
}

/** Gives a client access URL (`wss://…`), anew for each new connection. */
export interface WebPubSubClientCredential {
  getClientAccessUrl: string | ((options?: GetClientAccessUrlOptions) => string | Promise<string>);
}
export type ClientCredential = WebPubSubClientCredential;

export interface StartOptions {
  abortSignal?: AbortSignalLike;
}
export interface JoinGroupOptions {
  /** Ignored: the client assigns the ids itself, and the result has the id. */
  ackId?: number;
  abortSignal?: AbortSignalLike;
}
export interface LeaveGroupOptions {
  /** Ignored: the client assigns the ids itself, and the result has the id. */
  ackId?: number;
  abortSignal?: AbortSignalLike;
}
export interface SendToGroupOptions {
  /** Ignored: the client assigns the ids itself, and the result has the id. */
  ackId?: number;
  /** Leaves the sender out, if it is a member of the group. */
  noEcho?: boolean;
  /** Requests no acknowledgement: the promise resolves once the message is sent. */
  fireAndForget?: boolean;
  /** Withdraws the message if it was not sent yet. */
  abortSignal?: AbortSignalLike;
}
export interface SendEventOptions {
  /** Ignored: the client assigns the ids itself, and the result has the id. */
  ackId?: number;
  fireAndForget?: boolean;
  abortSignal?: AbortSignalLike;
}
export type SendOptions = SendToGroupOptions;
export interface InvokeEventOptions {
  /** Ignored: the client assigns the ids itself, and the result has the id. */
  invocationId?: string;
  /** Cancels the invocation. */
  abortSignal?: AbortSignalLike;
}

export interface WebPubSubResult {
  /** Id of the message; undefined with `fireAndForget`. */
  ackId?: number;
  /** Whether the service had carried it out already, and only its acknowledgement was lost. */
  isDuplicated: boolean;
}

/** Answer of the application's server: perhaps without data. */
export interface InvokeEventResult {
  invocationId: string;
  dataType?: WebPubSubDataType;
  data?: JSONTypes | ArrayBuffer;
}

export interface OpenGroupStreamOptions {
  /** Id that no other open stream of the group has. Default: a random one. */
  streamId?: string;
  noEcho?: boolean;
  /** The service ends the stream when it is silent for longer. Default: five minutes. */
  idleTimeoutInMs?: number;
}
export interface GroupStreamWriteOptions {
  abortSignal?: AbortSignalLike;
}
export interface EndGroupStreamOptions {
  abortSignal?: AbortSignalLike;
}
export interface AbortGroupStreamOptions {
  abortSignal?: AbortSignalLike;
}
export interface StreamEndError {
  /** For people. */
  message?: string;
  /** For programs. */
  userErrorCode?: string;
}

/** An open stream to a group. A stream that is freed or garbage-collected before its end is aborted. */
export class GroupStreamWriter {
  private constructor();
  readonly streamId: string;
  /** Resolves when the stream is ended and the service has all of it. Rejects if it ends early. */
  readonly closed: Promise<void>;
  /** Appends a fragment. Resolves when the stream's buffer has taken it. Fragments keep their order. */
  write(content: JSONTypes | ArrayBuffer, dataType: WebPubSubDataType, options?: GroupStreamWriteOptions): Promise<void>;
  /** Ends the stream after the fragments written so far. Settles like `closed`. */
  end(options?: EndGroupStreamOptions): Promise<void>;
  /** Ends the stream, and reports to its subscribers that it is incomplete. Settles like `closed`. */
  abort(error?: StreamEndError, options?: AbortGroupStreamOptions): Promise<void>;
  /** Calls the listener if the stream ends early. Returns a function that removes it. */
  onError(listener: (error: StreamDataError) => void): () => void;
  free(): void;
  [Symbol.dispose](): void;
}

export interface StreamDataError {
  name: string;
  message?: string;
  userErrorCode?: string;
}

/** Position of a message in its stream. */
export interface StreamInfo {
  streamId: string;
  /** The first fragment has 1. */
  streamSequenceId: number;
  /** Whether nothing follows. */
  endOfStream?: boolean;
  /** Reason why the stream ended early, if it did. */
  error?: StreamDataError;
}

export interface GroupStreamMessage {
  readonly groupName: string;
  readonly fromUserId: string;
  readonly sequenceId?: number;
  readonly dataType: WebPubSubDataType;
  readonly data: JSONTypes | ArrayBuffer;
  readonly stream: StreamInfo;
}

/** Fragments of a stream, in order. At most 4,096 wait for the reader. */
export interface GroupStream extends AsyncIterable<GroupStreamMessage> {
  readonly groupName: string;
  readonly streamId: string;
  /** Aborted when the stream ends, for whatever reason. */
  readonly abortSignal: AbortSignal;
}

export interface OnGroupStreamOptions {
  /** A stream that is silent for longer ends with the error `IdleTimeout`. Default: five minutes. */
  idleTimeoutInMs?: number;
  /** Whether streams of which the beginning is missing are ignored. Default: false. */
  handleFromStart?: boolean;
  /** Groups of the streams. Default: all. */
  groupNames?: string[];
}

export interface GroupStreamSubscription {
  close(): Promise<void>;
  readonly isActive: boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DisconnectedMessage {
  readonly kind: "disconnected";
  message: string;
}
export interface GroupDataMessage {
  readonly kind: "groupData";
  dataType: WebPubSubDataType;
  data: JSONTypes | ArrayBuffer;
  sequenceId?: number;
  group: string;
  /** As in the official package, the type has no `null`, which an anonymous sender has. */
  fromUserId: string;
  stream?: StreamInfo;
}
export interface ServerDataMessage {
  readonly kind: "serverData";
  dataType: WebPubSubDataType;
  data: JSONTypes | ArrayBuffer;
  sequenceId?: number;
}

export interface OnConnectedArgs {
  connectionId: string;
  /** As in the official package, the type has no `null`, which an anonymous client has. */
  userId: string;
}
export interface OnDisconnectedArgs {
  connectionId?: string;
  message?: DisconnectedMessage;
}
export interface OnStoppedArgs {}
export interface OnServerDataMessageArgs {
  message: ServerDataMessage;
}
export interface OnGroupDataMessageArgs {
  message: GroupDataMessage;
}
export interface OnRejoinGroupFailedArgs {
  group: string;
  error: Error;
}

export interface ClientEvents {
  "connected": OnConnectedArgs;
  /** There is no connection yet, or no longer, for this reason. Another attempt follows, unless the client stops. */
  "connect-failed": { message: string; code: ErrorCode };
  "disconnected": OnDisconnectedArgs;
  "recovering": { message: string };
  "recovered": {};
  /** Messages may be missing here: how many, or null where nobody knows. */
  "gap": { messages: number | null };
  "group-message": OnGroupDataMessageArgs;
  "server-message": OnServerDataMessageArgs;
  "rejoin-group-failed": OnRejoinGroupFailedArgs;
  "stopped": OnStoppedArgs;
}

/** A client of one hub. A started client runs until it is stopped, even if nothing references it. */
export class WebPubSubClient {
  /**
   * Creates a client. `source` provides the client access URL: the URL (`wss://…`) itself, an object with `getClientAccessUrl`, or the
   * address of a negotiate endpoint, which responds with `{"url": …}` to a GET.
   */
  constructor(source: string | WebPubSubClientCredential, options?: WebPubSubClientOptions);
  /** Connects. The client reconnects until it is stopped. Rejects if the first attempt fails; see `retryStart`. */
  start(options?: StartOptions): Promise<void>;
  /** Closes the connection and does not reconnect. The last event is `stopped`; then the client may be started again. */
  stop(): void;
  /** Joins a group, on this connection and on all later ones. */
  joinGroup(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult>;
  /** Leaves a group, and does not join it on later connections. */
  leaveGroup(groupName: string, options?: LeaveGroupOptions): Promise<WebPubSubResult>;
  /** Publishes to a group. Resolves when the service has acknowledged the message. */
  sendToGroup(
    groupName: string,
    content: JSONTypes | ArrayBuffer,
    dataType: WebPubSubDataType,
    options?: SendToGroupOptions,
  ): Promise<WebPubSubResult>;
  /** Sends an event to the application's server. */
  sendEvent(
    eventName: string,
    content: JSONTypes | ArrayBuffer,
    dataType: WebPubSubDataType,
    options?: SendEventOptions,
  ): Promise<WebPubSubResult>;
  /**
   * Invokes an event of the application's server, and resolves with its answer. The invocation is sent once: if the connection is lost
   * before the answer, the server may have acted or not. Requires one of the JSON protocols.
   */
  invokeEvent(eventName: string): Promise<InvokeEventResult>;
  invokeEvent(
    eventName: string,
    content: JSONTypes | ArrayBuffer,
    dataType: WebPubSubDataType,
    options?: InvokeEventOptions,
  ): Promise<InvokeEventResult>;
  /** Opens a stream to a group, on the current connection. Resolves when the service accepts it. */
  openGroupStream(groupName: string, options?: OpenGroupStreamOptions): Promise<GroupStreamWriter>;
  /** Calls the callback with each stream of a group. */
  onGroupStream(
    callback: (stream: GroupStream) => void | Promise<void>,
    options?: OnGroupStreamOptions,
  ): GroupStreamSubscription;
  on<K extends keyof ClientEvents>(event: K, listener: (event: ClientEvents[K]) => void): void;
  off<K extends keyof ClientEvents>(event: K, listener: (event: ClientEvents[K]) => void): void;
  /** Releases the memory of the client. A running client continues to run. */
  free(): void;
  [Symbol.dispose](): void;
}

/** What `init()` can load: a URL, a response, a module, or its bytes. */
export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

/** Loads the WebAssembly, once. `start()` does so by itself. */
export default function init(
  from?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>,
): Promise<unknown>;
