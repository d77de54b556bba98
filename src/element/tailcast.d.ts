/** Comes by the service's URL (`wss://…/client/hubs/HUB?access_token=…`), anew for each connection. */
export type Negotiate = () => string | { url: string } | Promise<string | { url: string }>;

/** What colours the element has. */
export type Theme = "system" | "light" | "dark";
/** What lines tell beside their text. */
export type Times = "0" | "clock" | "since";
/** What surrounds the lines: all of it, the search alone, the state of the connection alone, nothing. */
export type Toolbar = "full" | "find" | "status" | "none";
/** What is spoken with the service. */
export type Subprotocol = "protobuf.reliable" | "protobuf" | "json.reliable" | "json";

export interface ConnectedDetail {
  /** The service's name for the connection. */
  connectionId: string;
  /** Who the service thinks we are; `null` for an anonymous client. */
  userId: string | null;
}

export interface DisconnectedDetail {
  /** Why, as far as known. */
  reason: string;
}

export interface MessageDetail {
  /** The group published to; `null` for a message of the server's own. */
  group: string | null;
  fromUserId: string | null;
  /** `data` is a string, whatever JSON says, or bytes. */
  dataType: "text" | "json" | "binary";
  data: unknown;
}

export interface GapDetail {
  /** How many messages may be missing; `null` when nobody knows. */
  messages: number | null;
}

export interface ErrorDetail {
  /** What failed, and what mends it. */
  message: string;
}

export interface TailCastEventMap {
  "tailcast-connected": CustomEvent<ConnectedDetail>;
  "tailcast-disconnected": CustomEvent<DisconnectedDetail>;
  "tailcast-message": CustomEvent<MessageDetail>;
  "tailcast-gap": CustomEvent<GapDetail>;
  "tailcast-error": CustomEvent<ErrorDetail>;
}

export interface SearchOptions {
  regex?: boolean;
  caseSensitive?: boolean;
  /** All lines, only those with hits, or the rest. */
  show?: "all" | "hits" | "rest";
}

export interface DownloadOptions {
  /** The lines shown, or all held. */
  scope?: "shown" | "held";
  format?: "text" | "json";
}

/** A live log. */
export declare class TailCast extends HTMLElement {
  static readonly version: string;

  /** Address of a negotiate endpoint. */
  negotiate: string | null;
  /** The service's own URL, token included, in place of a negotiate endpoint. */
  url: string | null;
  /** Groups, separated by commas. */
  group: string | null;
  userId: string | null;
  subprotocol: Subprotocol | null;
  /** Most lines that are kept. */
  maxLines: number | null;
  /** Most MiB of text that are kept. */
  maxMib: number | null;
  /** Whether there is a line to type in. */
  publish: boolean;
  /** There is none, whatever `publish` says. */
  readonly: boolean;
  /** Whether the newest line is followed. */
  follow: boolean;
  wrap: boolean;
  theme: Theme | null;
  time: Times | null;
  /** What is always marked, one rule a line. */
  marks: string | null;
  /** Whether new lines are spoken by a screen reader. */
  speak: boolean;
  /** Fields of JSON lines that are shown as columns, separated by commas. */
  columns: string | null;
  /** What is looked for. */
  find: string | null;
  /** Only lines with these words are shown. */
  filter: string | null;
  /** Only lines of these levels are shown: `error,warning,info,debug,trace`. */
  levels: string | null;
  toolbar: Toolbar | null;
  /** Comes by the service's URL in place of a negotiate endpoint. */
  negotiateWith: Negotiate | undefined;

  /** Holds the view where it is. */
  pause(): void;
  /** Follows the newest line. */
  resume(): void;
  /** Takes all lines away. */
  clear(): void;
  /** Puts text into the log, as if it had come in a message. */
  append(text: string): void;
  /** Looks for words, or for a regular expression; nothing ends the search. */
  search(words?: string | RegExp | null, options?: SearchOptions): void;
  /** Has the browser keep lines as a file. */
  download(options?: DownloadOptions): void;
  /** Sends a line to the group; kept once the service has it. */
  send(text: string): Promise<void>;

  addEventListener<K extends keyof TailCastEventMap>(
    type: K,
    listener: (this: TailCast, event: TailCastEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: TailCast, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "tail-cast": TailCast;
  }
}
