// Client SDK: connecting, disconnecting and recovery.

const assert = require("node:assert/strict");
const { WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = require("@azure/web-pubsub-client");
const { eventually, passed } = require("./queue.js");
const { SDK, MASTER, methods, inBoth } = require("./client_sdk.js");

const TEXT = { contentType: "text/plain" };
const plain = (options = {}) => ({ protocol: WebPubSubJsonProtocol(), ...options });
const reliable = (options = {}) => ({ protocol: WebPubSubJsonReliableProtocol(), ...options });
/** Minimum delays, because the tests do not depend on them. */
const QUICK = { reconnectRetryOptions: { retryDelayInMs: 10 } };

function operations(operation) {
  for (const [name, protocol] of [["WebPubSubJsonProtocol", plain], ["WebPubSubJsonReliableProtocol", reliable]]) {
    const words = name === "WebPubSubJsonProtocol" ? "JSON" : "reliable JSON";
    operation(`start: ${words}`, ["start", "on", name], async (scene) => {
      const watched = scene.watch({ getClientAccessUrl: () => scene.url({ userId: "ada é" }) }, protocol());
      await watched.client.start();
      const { connectionId, userId } = await watched.told.connected.next();
      assert.equal(userId, "ada é");
      assert.equal(await scene.service.connectionExists(connectionId), true);
    });
  }
  operation("start: fixed URL", ["start"], async (scene) => {
    const watched = scene.watch(await scene.url({ userId: "ada" }));
    await watched.client.start();
    assert.equal((await watched.told.connected.next()).userId, "ada");
  });
  operation("start: abort signal", ["start"], async (scene) => {
    const aborting = new AbortController();
    const credential = {
      getClientAccessUrl: ({ abortSignal }) =>
        new Promise((_, reject) => abortSignal.addEventListener("abort", () => reject(new Error("aborted")))),
    };
    const starting = scene.watch(credential).client.start({ abortSignal: aborting.signal });
    aborting.abort();
    await assert.rejects(starting, /aborted/);
  });
  operation("start: refused token", ["start"], async (scene) => {
    const watched = scene.watch(`${await scene.url()}x`);
    await assert.rejects(watched.client.start());
    assert.deepEqual(watched.told.connected.rest(), []);
  });
  operation("stop and start again", ["start", "stop", "on"], inBoth(async (scene, options) => {
    const watched = await scene.client({}, options);
    watched.client.stop();
    assert.equal((await watched.told.disconnected.next()).connectionId, watched.connectionId);
    await watched.told.stopped.next();
    await watched.client.start();
    assert.notEqual((await watched.told.connected.next()).connectionId, watched.connectionId);
  }));
  operation("stop: the service closes the connection", ["stop"], async (scene) => {
    const watched = await scene.client({ userId: "ada" }, plain());
    watched.client.stop();
    await eventually(async () => !(await scene.service.userExists("ada")));
  });
  operation("callbacks: removal", ["on", "off"], async (scene) => {
    const watched = await scene.client({ groups: ["g"] }, plain(QUICK));
    const { client } = watched;
    const unwanted = [];
    const events = ["connected", "disconnected", "stopped", "server-message", "group-message", "rejoin-group-failed"];
    for (const event of events) {
      const listener = () => unwanted.push(event);
      client.on(event, listener);
      client.off(event, listener);
    }
    await scene.service.group("g").sendToAll("x");
    await scene.service.sendToAll("x");
    await watched.hears();
    await watched.hears("server");
    client.stop();
    await watched.told.stopped.next();
    assert.deepEqual(unwanted, []);
  });
  operation("closed by the service: reason", ["on"], async (scene) => {
    for (const options of [plain({ autoReconnect: false }), reliable({ autoReconnect: false })]) {
      const watched = await scene.client({}, options);
      await scene.service.closeConnection(watched.connectionId, { reason: "enough" });
      const { connectionId, message } = await watched.told.disconnected.next();
      assert.equal(connectionId, watched.connectionId);
      assert.equal(message.message, "Application server closed the connection. Reason: enough");
      await watched.told.stopped.next();
    }
  });

  operation("reconnect: after a dropped connection", ["start", "on"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay({ userId: "ada" }, plain(QUICK));
    way.cut();
    assert.equal((await watched.told.disconnected.next()).connectionId, watched.connectionId);
    const { connectionId, userId } = await watched.told.connected.next();
    assert.notEqual(connectionId, watched.connectionId);
    assert.equal(userId, "ada");
  });
  operation("reconnect: disabled", ["start", "on"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay({}, plain({ autoReconnect: false }));
    way.cut();
    await watched.told.stopped.next();
    assert.deepEqual(watched.told.connected.rest(), []);
  });
  operation("reconnect: maximum number of attempts", ["start", "on"], async (scene) => {
    for (const mode of ["Fixed", "Exponential"]) {
      const reconnectRetryOptions = { maxRetries: 2, retryDelayInMs: 10, maxRetryDelayInMs: 20, mode };
      const [watched, way] = await scene.clientOnAWay({}, plain({ reconnectRetryOptions }));
      way.block();
      await watched.told.stopped.next();
    }
  });
  operation("rejoin groups: after a reconnection", ["joinGroup", "on"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay(MASTER, plain(QUICK));
    await watched.client.joinGroup("g");
    way.cut();
    await watched.told.connected.next();
    await scene.service.group("g").sendToAll("again", TEXT);
    assert.equal((await watched.hears()).data, "again");
  });
  operation("rejoin groups: disabled", ["joinGroup", "on"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay(MASTER, plain({ ...QUICK, autoRejoinGroups: false }));
    await watched.client.joinGroup("g");
    way.cut();
    await watched.told.connected.next();
    assert.equal(await scene.service.groupExists("g"), false);
  });
  operation("rejoin groups: no longer allowed", ["joinGroup", "on"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay(MASTER, plain(QUICK));
    await watched.client.joinGroup("g");
    scene.url = () => scene.service.getClientAccessToken({}).then(({ url }) => url);
    way.cut();
    const { group, error } = await watched.told["rejoin-group-failed"].next();
    assert.deepEqual([group, error.errorDetail.name], ["g", "Forbidden"]);
  });

  operation("recovery: missed messages arrive once, in order", ["start", "on", "WebPubSubJsonReliableProtocol"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay({ groups: ["g"] }, reliable());
    const send = (data) => scene.service.group("g").sendToAll(data, TEXT);
    await send("before");
    assert.equal((await watched.hears()).data, "before");
    way.block();
    await send("missed 1");
    await send("missed 2");
    assert.equal(await scene.service.connectionExists(watched.connectionId), true);
    way.unblock();
    const missed = [await watched.hears(), await watched.hears()];
    assert.deepEqual(missed.map(({ data }) => data), ["missed 1", "missed 2"]);
    await send("end");
    assert.deepEqual(await watched.untilEnd(), []);
    // No event was emitted.
    assert.deepEqual([watched.told.disconnected.rest(), watched.told.connected.rest()], [[], []]);
  });
  operation("recovery: new connection if it is impossible", ["start", "on", "WebPubSubJsonReliableProtocol"], async (scene) => {
    const [watched, way] = await scene.clientOnAWay({}, reliable(QUICK));
    way.block();
    await scene.service.closeConnection(watched.connectionId);
    way.unblock();
    assert.equal((await watched.told.disconnected.next()).connectionId, watched.connectionId);
    assert.notEqual((await watched.told.connected.next()).connectionId, watched.connectionId);
  });
  operation("recovery: the client acknowledges messages", ["WebPubSubJsonReliableProtocol"], async (scene) => {
    // More messages than the service stores for a client that does not acknowledge them.
    const watched = await scene.client({ groups: ["g"] }, reliable());
    const publisher = await scene.listen(MASTER);
    for (let sent = 0; sent < 3; ++sent) {
      for (let number = 0; number < 400; ++number) publisher.send({ type: "sendToGroup", group: "g", data: number });
      await watched.told["group-message"].take(400);
      // The SDK acknowledges once per second.
      if (sent < 2) await passed(1_100);
    }
    assert.deepEqual(watched.told.disconnected.rest(), []);
  });
  operation("keep-alive: pings are answered", ["start", "on"], async (scene) => {
    const timing = { keepAliveTimeoutInMs: 300, autoReconnect: false };
    const pinging = await scene.client({}, plain({ ...timing, keepAliveIntervalInMs: 50 }));
    const silent = await scene.client({}, plain({ ...timing, keepAliveIntervalInMs: 0 }));
    // Without pings, the client receives nothing and closes the connection; with pings, it stays connected.
    await silent.told.stopped.next();
    assert.deepEqual(pinging.told.disconnected.rest(), []);
    assert.equal(await scene.service.connectionExists(pinging.connectionId), true);
  });
}

module.exports = { sdk: SDK, methods, operations };
