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

export interface SendOptions {
  /** Leaves the sender out, if it is a member of the group. */
  noEcho?: boolean;
  /** Asks for no acknowledgement: the promise resolves once the message is sent. */
  fireAndForget?: boolean;
}

export interface Message { dataType: DataType; data: unknown; }
export interface GroupMessage extends Message { group: string; fromUserId: string | null; }

export interface ClientEvents {
  "connected": { connectionId: string; userId: string | null };
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
  off<K extends keyof ClientEvents>(event: K, listener: (event: ClientEvents[K]) => void): void;
}
"#;
