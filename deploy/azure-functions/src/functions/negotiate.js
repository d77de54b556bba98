// Negotiate endpoint: returns a client access URL of Azure Web PubSub, signed with the connection string.
//
// Settings of the function app:
//   WEBPUBSUB_CONNECTION_STRING   connection string, from "Keys" of the Web PubSub service in the portal
//   TAILCAST_PUBLISH_KEY          key for publishers; without it, publishing is disabled
//   TAILCAST_OPEN_GROUPS          groups that clients may request, a regular expression: stream|build-\d+
// Add the origin of the page under "CORS".

import { createHash, timingSafeEqual } from "node:crypto";
import { app } from "@azure/functions";
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const HUB = "stream";
const DEFAULT_GROUP = "stream";
/** Limit of the groups of a token, as in `tailcast serve`. */
const MAX_GROUPS = 32;
const TOKEN_MINUTES = 60;

const { WEBPUBSUB_CONNECTION_STRING, TAILCAST_PUBLISH_KEY, TAILCAST_OPEN_GROUPS } = process.env;
const service = new WebPubSubServiceClient(WEBPUBSUB_CONNECTION_STRING ?? "", HUB);
const open = new RegExp(`^(?:${TAILCAST_OPEN_GROUPS ?? DEFAULT_GROUP})$`);

const digest = (text) => createHash("sha256").update(text).digest();

/** Whether the request has the publish key. Compares in constant time. */
function hasPublishKey(authorization) {
  return Boolean(TAILCAST_PUBLISH_KEY)
    && timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${TAILCAST_PUBLISH_KEY}`));
}

const refuse = (status, reason) => ({ status, body: `${reason}\n`, headers: { "Cache-Control": "no-store" } });

export async function negotiate(request) {
  const requested = request.query.getAll("group");
  const groups = requested.length > 0 ? requested : [DEFAULT_GROUP];
  const role = request.query.get("role");
  if (groups.length > MAX_GROUPS) return refuse(400, `a token is limited to ${MAX_GROUPS} groups; request fewer`);
  const forbidden = groups.find((group) => !open.test(group));
  if (forbidden !== undefined) return refuse(403, `the group \`${forbidden}\` is not allowed; add it to TAILCAST_OPEN_GROUPS`);
  const canPublish = hasPublishKey(request.headers.get("authorization"));
  if (role === "publisher" && !canPublish) return refuse(401, "publishing requires the publish key as a bearer token");
  const permissions = canPublish && role !== "viewer" ? ["joinLeaveGroup", "sendToGroup"] : ["joinLeaveGroup"];
  const { url } = await service.getClientAccessToken({
    userId: request.query.get("id") ?? undefined,
    roles: groups.flatMap((group) => permissions.map((permission) => `webpubsub.${permission}.${group}`)),
    expirationTimeInMinutes: TOKEN_MINUTES,
  });
  return { jsonBody: { url }, headers: { "Cache-Control": "no-store" } };
}

app.http("negotiate", { methods: ["GET"], authLevel: "anonymous", handler: negotiate });
