// The negotiate endpoint: who asks gets a URL of Azure Web PubSub, signed with the connection string and nothing else.
//
// Settings of the function app:
//   WEBPUBSUB_CONNECTION_STRING   from the portal, "Keys" of the Web PubSub service
//   TAILCAST_PUBLISH_KEY          whoever shows it may publish; without it, nobody may
//   TAILCAST_OPEN_GROUPS          which groups may be asked for, a regular expression: stream|build-\d+
// and, under "CORS", the origin of the page.

import { createHash, timingSafeEqual } from "node:crypto";
import { app } from "@azure/functions";
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const HUB = "stream";
const USUAL_GROUP = "stream";
/** As many as `tailcast serve` puts into one token. */
const MOST_GROUPS = 32;
const TOKEN_MINUTES = 60;

const { WEBPUBSUB_CONNECTION_STRING, TAILCAST_PUBLISH_KEY, TAILCAST_OPEN_GROUPS } = process.env;
const service = new WebPubSubServiceClient(WEBPUBSUB_CONNECTION_STRING ?? "", HUB);
const open = new RegExp(`^(?:${TAILCAST_OPEN_GROUPS ?? USUAL_GROUP})$`);

const digest = (text) => createHash("sha256").update(text).digest();

/** Takes as long for a guess that begins well as for any other. */
function showsKey(authorization) {
  return Boolean(TAILCAST_PUBLISH_KEY)
    && timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${TAILCAST_PUBLISH_KEY}`));
}

const refuse = (status, words) => ({ status, body: `${words}\n`, headers: { "Cache-Control": "no-store" } });

export async function negotiate(request) {
  const asked = request.query.getAll("group");
  const groups = asked.length > 0 ? asked : [USUAL_GROUP];
  const role = request.query.get("role");
  if (groups.length > MOST_GROUPS) return refuse(400, `ask for ${MOST_GROUPS} groups at most`);
  const closed = groups.find((group) => !open.test(group));
  if (closed !== undefined) return refuse(403, `the group \`${closed}\` is not open`);
  const mayPublish = showsKey(request.headers.get("authorization"));
  if (role === "publisher" && !mayPublish) return refuse(401, "publishing needs the publish key, as a bearer token");
  const permissions = mayPublish && role !== "viewer" ? ["joinLeaveGroup", "sendToGroup"] : ["joinLeaveGroup"];
  const { url } = await service.getClientAccessToken({
    userId: request.query.get("id") ?? undefined,
    roles: groups.flatMap((group) => permissions.map((permission) => `webpubsub.${permission}.${group}`)),
    expirationTimeInMinutes: TOKEN_MINUTES,
  });
  return { jsonBody: { url }, headers: { "Cache-Control": "no-store" } };
}

app.http("negotiate", { methods: ["GET"], authLevel: "anonymous", handler: negotiate });
