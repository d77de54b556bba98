// Type checks only: the package's types. Lines that must not compile are marked as expected errors.
import { TailCast, type ConnectedDetail, type Negotiate } from "tailcast";
import type { MessageDetail } from "tailcast/tailcast.js";

const log = document.querySelector("tail-cast") ?? new TailCast();

log.negotiate = "/negotiate";
log.url = null;
log.group = "a,b";
log.userId = "ada";
log.subprotocol = "json.reliable";
log.maxLines = 1_000;
log.maxMib = null;
log.publish = log.readonly = log.follow = log.wrap = log.speak = true;
log.theme = "dark";
log.time = "since";
log.marks = log.columns = log.find = log.filter = log.levels = "text";
log.toolbar = "none";

const negotiate: Negotiate = async () => ({ url: "wss://h/client/hubs/x" });
log.negotiateWith = negotiate;
log.negotiateWith = () => "wss://h/client/hubs/x";
log.negotiateWith = undefined;

log.pause();
log.resume();
log.clear();
log.append("text");
log.search("words", { show: "hits", caseSensitive: true });
log.search(/5\d\d/);
log.search();
log.download({ scope: "held", format: "json" });
const sent: Promise<void> = log.send("text");
void sent;

log.addEventListener("tailcast-connected", ({ detail }) => {
  const who: ConnectedDetail = detail;
  const user: string | null = who.userId;
  return [who.connectionId.length, user];
});
log.addEventListener("tailcast-disconnected", ({ detail }) => detail.reason.length);
log.addEventListener("tailcast-message", ({ detail }) => {
  const message: MessageDetail = detail;
  return message.dataType === "text" ? message.group : message.data;
});
log.addEventListener("tailcast-gap", ({ detail }) => (detail.messages ?? 0) + 1);
log.addEventListener("tailcast-error", ({ detail }) => detail.message.length, { once: true });
log.addEventListener("click", (event) => event.clientX);

const version: string = TailCast.version;
void version;

// @ts-expect-error there is no such theme
log.theme = "pink";
// @ts-expect-error a number
log.maxLines = "1000";
// @ts-expect-error it needs a text
log.append();
// @ts-expect-error its detail has no such member
log.addEventListener("tailcast-gap", ({ detail }) => detail.reason);
