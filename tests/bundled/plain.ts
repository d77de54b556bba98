// An import of types only would be removed.
import "tailcast";
import type { TailCast } from "tailcast";

const log: TailCast = document.createElement("tail-cast");
log.negotiate = new URLSearchParams(location.search).get("negotiate");
log.addEventListener("tailcast-connected", ({ detail }) => {
  document.title = `connected as ${detail.connectionId}`;
});
document.querySelector("main")?.append(log);
