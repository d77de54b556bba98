//! The types, for TypeScript.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export type DataType = "json" | "text" | "binary" | "protobuf";

export interface ClientOptions {
  /** Groups to join on each new connection. */
  groups?: string[];
  /** What to offer first; the service may choose another that is offered. The default is "json.reliable". */
  protocol?: "json.reliable" | "json" | "protobuf.reliable" | "protobuf";
}

/** Gives a client access URL (`wss://…`), anew for each new connection. */
export interface ClientCredential {
  getClientAccessUrl: string | (() => string | Promise<string>);
}

export interface SendOptions {
  /** Leaves the sender out, if it is a member of the group. */
  noEcho?: boolean;
  /** Asks for no acknowledgement: the promise resolves once the message is sent. */
  fireAndForget?: boolean;
}

export interface OpenGroupStreamOptions {
  /** Leaves the sender out, if it is a member of the group. */
  noEcho?: boolean;
  /** The service ends the stream when it is silent for longer. The default is five minutes. */
  idleTimeoutInMs?: number;
}

export interface StreamEndError {
  /** For people. */
  message?: string;
  /** For programs. */
  userErrorCode?: string;
}

/** Where in a stream a message belongs. */
export interface StreamInfo {
  streamId: string;
  /** The first fragment has 1. */
  streamSequenceId: number;
  /** Whether nothing follows; such a message has no data of its own. */
  endOfStream: boolean;
  /** Why the stream ended before its time, if it did. */
  error?: { name: string; message?: string; userErrorCode?: string };
}

/** What the application's server answered: perhaps without data. */
export interface InvokeEventResult { dataType?: DataType; data?: unknown; }

export interface Message { dataType: DataType; data: unknown; }
export interface GroupMessage extends Message { group: string; fromUserId: string | null; stream?: StreamInfo; }

export interface ClientEvents {
  "connected": { connectionId: string; userId: string | null };
  /** There is no connection yet, or no longer, for this reason. Another attempt follows, unless `stopped` does. */
  "connect-failed": { message: string };
  "disconnected": { message: string };
  "recovering": { message: string };
  "recovered": {};
  /** Messages may be missing here: how many, or null where nobody knows. */
  "gap": { messages: number | null };
  "group-message": { message: GroupMessage };
  "server-message": { message: Message };
  "rejoin-group-failed": { group: string; error: Error };
  "stopped": {};
}

export interface WebPubSubClient {
  on<K extends keyof ClientEvents>(event: K, listener: (event: ClientEvents[K]) => void): void;
  /**
   * Asks the application's server, and resolves with its answer. Asked once: when the connection is lost before the
   * answer comes, the promise is broken, and the server may have acted or not. Needs one of the JSON protocols.
   */
  invokeEvent(name: string): Promise<InvokeEventResult>;
  invokeEvent(name: string, content: unknown, dataType: DataType): Promise<InvokeEventResult>;
  off<K extends keyof ClientEvents>(event: K, listener: (event: ClientEvents[K]) => void): void;
}
"#;
