// Service SDK: tokens for clients, and authentication of the SDK.

const assert = require("node:assert/strict");
const { AzureKeyCredential, WebPubSubServiceClient } = require("@azure/web-pubsub");
const { Listener, JSON_PROTOCOL } = require("./listener.js");
const { INSECURE } = require("./scene.js");
const { SDK, methods } = require("./service_sdk.js");

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

function operations(operation) {
  const token = (what, act) => operation(`client access token: ${what}`, ["getClientAccessToken"], act);

  token("without options", async (scene) => {
    const { token, baseUrl, url } = await scene.service.getClientAccessToken();
    assert.equal(baseUrl, `${scene.endpoint.replace("http", "ws")}/client/hubs/${scene.hub}`);
    assert.equal(url, `${baseUrl}?access_token=${token}`);
    const listener = await Listener.greeted(url);
    scene.leaving(() => listener.socket.terminate());
    assert.equal(listener.greeting.userId ?? null, null);
    assert.equal(await listener.may({ type: "joinGroup", group: "g" }), false);
    assert.equal(await listener.may({ type: "sendToGroup", group: "g", data: 1 }), false);
    // The token is also accepted in a header.
    const other = await Listener.greeted(baseUrl, [JSON_PROTOCOL], { authorization: `Bearer ${token}` });
    scene.leaving(() => other.socket.terminate());
    assert.equal(await scene.service.connectionExists(other.id), true);
  });
  token("user", async (scene) => {
    const listener = await scene.listen({ userId: "ada é/?" });
    assert.equal(listener.greeting.userId, "ada é/?");
    // As in the cloud service, a path cannot name a user whose id contains a slash.
    assert.equal(await scene.service.userExists("ada é/?"), false);
    await scene.listen({ userId: "ada é?" });
    assert.equal(await scene.service.userExists("ada é?"), true);
  });
  token("roles", async (scene) => {
    const roles = ["webpubsub.joinLeaveGroup.room", "webpubsub.sendToGroup.room.1", "webpubsub.sendToGroups.chat.*"];
    const listener = await scene.listen({ roles });
    const joins = (group) => listener.may({ type: "joinGroup", group });
    const sends = (group) => listener.may({ type: "sendToGroup", group, data: 1 });
    assert.deepEqual([await joins("room"), await joins("other")], [true, false]);
    assert.deepEqual([await sends("room.1"), await sends("room"), await sends("chat.a")], [true, false, true]);
    const all = await scene.listen({ roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"] });
    assert.ok((await all.may({ type: "joinGroup", group: "any" })) && (await all.may({ type: "sendToGroup", group: "any", data: 1 })));
  });
  token("groups", async (scene) => {
    const [both, none] = [await scene.listen({ groups: ["g", "h"] }), await scene.listen()];
    await scene.service.group("g").sendToAll("to g", { contentType: "text/plain" });
    await scene.service.group("h").sendToAll("to h", { contentType: "text/plain" });
    assert.deepEqual(await scene.heardBy(both, none), [["to g", "to h"], []]);
  });
  token("time to expire", async (scene) => {
    const { token } = await scene.service.getClientAccessToken({ expirationTimeInMinutes: 7 });
    assert.equal(claims(token).exp - claims(token).iat, 7 * 60);
    await scene.listen({ expirationTimeInMinutes: 7 });
    // More than the allowed clock difference of five minutes.
    await assert.rejects(scene.listen({ expirationTimeInMinutes: -6 }), { status: 401 });
  });
  token("MQTT", async (scene) => {
    const { url } = await scene.service.getClientAccessToken({ clientProtocol: "mqtt" });
    const listener = await Listener.open(url, ["mqtt"]);
    listener.socket.terminate();
  });
  token("Socket.IO", async (scene) => {
    const { baseUrl, token } = await scene.service.getClientAccessToken({ clientProtocol: "socketio" });
    const listener = await Listener.open(`${baseUrl}/?EIO=4&transport=websocket&access_token=${token}`, []);
    listener.socket.terminate();
  });

  operation("service client: connection string", ["sendToAll"], async (scene) => {
    const { hostname, port } = new URL(scene.endpoint);
    const listener = await scene.listen();
    for (const text of [scene.connectionString, `Endpoint=http://${hostname};AccessKey=${scene.key};Port=${port};`]) {
      await new WebPubSubServiceClient(text, scene.hub, INSECURE).sendToAll("by string");
      assert.equal((await listener.frames.next()).data, "by string");
    }
  });
  operation("service client: endpoint and key", ["group"], async (scene) => {
    const service = new WebPubSubServiceClient(scene.endpoint, new AzureKeyCredential(scene.key), scene.hub, INSECURE);
    const listener = await scene.listen({ groups: ["g"] });
    await service.group("g").sendToAll("by key", { contentType: "text/plain" });
    assert.equal((await listener.frames.next()).data, "by key");
    const wrong = new WebPubSubServiceClient(scene.endpoint, new AzureKeyCredential("wrong".repeat(8)), scene.hub, INSECURE);
    await assert.rejects(wrong.sendToAll("x"), { statusCode: 401 });
  });
  operation("service client: reverse proxy", [], async (scene) => {
    // The SDK signs its configured URL, and sends the request to another one.
    const connectionString = `Endpoint=http://cloud.example;AccessKey=${scene.key};Version=1.0;`;
    const options = { ...INSECURE, reverseProxyEndpoint: scene.endpoint };
    const service = new WebPubSubServiceClient(connectionString, scene.hub, options);
    const listener = await scene.listen();
    await service.sendToAll("by proxy", { contentType: "text/plain", filter: "userId eq null" });
    assert.equal((await listener.frames.next()).data, "by proxy");
  });
}

module.exports = { sdk: SDK, methods, operations };
