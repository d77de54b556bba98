/** The service's URL (`wss://…/client/hubs/HUB?access_token=…`), and that of its history, as a negotiate endpoint returns them. */
export type Negotiated = string | { url: string; history?: string };

/** Returns the service's URL; called for each connection. */
export type Negotiate = () => Negotiated | Promise<Negotiated>;

/** Colour theme. */
export type Theme = "system" | "light" | "dark";
/** Content of the gutter: line numbers, timestamps, or the time since the previous line. */
export type Times = "0" | "clock" | "since";
/** Bars above the lines: header and toolbar, the toolbar, the header, or none. */
export type Toolbar = "full" | "find" | "status" | "none";
/** Subprotocol of the connection. */
export type Subprotocol = "protobuf.reliable" | "protobuf" | "json.reliable" | "json";

export interface ConnectedDetail {
  /** Id of the connection. */
  connectionId: string;
  /** User id of the connection; `null` for an anonymous client. */
  userId: string | null;
}

export interface DisconnectedDetail {
  /** Reason, as far as it is known. */
  reason: string;
}

export interface MessageDetail {
  /** Group that the message was published to; `null` for a message of the server. */
  group: string | null;
  fromUserId: string | null;
  /** Type of `data`: a string, the value of JSON, or a `Uint8Array`. */
  dataType: "text" | "json" | "binary";
  data: unknown;
}

export interface GapDetail {
  /** Number of messages that may be missing; `null` if it is unknown. */
  messages: number | null;
}

export interface ErrorDetail {
  /** Sentence that says what failed, with the server's own reason if it gave one, and what to do. */
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
  /** Visible lines: all, only matching ones, or only the others. */
  show?: "all" | "hits" | "rest";
}

export interface DownloadOptions {
  /** Visible lines, or all lines. */
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
  /** Limit of the lines that are retained. */
  maxLines: number | null;
  /** Limit of the text that is retained, in MiB. */
  maxMib: number | null;
  /** Whether the viewer has a composer. */
  publish: boolean;
  /** Whether the composer is removed, whatever `publish` is. */
  readonly: boolean;
  /** Whether the view follows the newest line. */
  follow: boolean;
  wrap: boolean;
  theme: Theme | null;
  time: Times | null;
  /** Highlight rules, one a line. */
  marks: string | null;
  /** Whether new lines are announced to screen readers. */
  speak: boolean;
  /** Fields of JSON lines shown as columns, separated by commas. */
  columns: string | null;
  /** Number of lines that are visible before and after a match, while lines without one are hidden. */
  context: number | null;
  /** Pattern to search for. */
  find: string | null;
  /** Filter: only lines that contain this text are visible. */
  filter: string | null;
  /** Filter: only lines of these levels are visible, `error,warning,info,debug,trace`. */
  levels: string | null;
  toolbar: Toolbar | null;
  /** A function that returns the service's URL, in place of a negotiate endpoint. */
  negotiateWith: Negotiate | undefined;

  /** Pauses the view. */
  pause(): void;
  /** Follows the newest line. */
  resume(): void;
  /** Removes all lines. */
  clear(): void;
  /** Appends text to the log, as if it had been received in a message. */
  append(text: string): void;
  /** Searches for text or a regular expression; an empty one ends the search. */
  search(words?: string | RegExp | null, options?: SearchOptions): void;
  /** Downloads lines as a file. */
  download(options?: DownloadOptions): void;
  /** Publishes a line to the group. Resolves when the service has acknowledged it. */
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
