// Express middleware: events of the service and their responses.

const assert = require("node:assert/strict");
const { createHmac } = require("node:crypto");
const { WebPubSubEventHandler } = require("@azure/web-pubsub-express");
const { Listener, JSON_PROTOCOL } = require("./listener.js");
const { methodsOf } = require("./methods.js");
const { Queue } = require("./queue.js");

const SDK = "@azure/web-pubsub-express";

/** Methods of the handler, and of the responses that it passes to the application's callbacks. */
function methods() {
  const answers = ["connect.setState", "connect.success", "connect.fail", "connect.failWith"];
  return [...methodsOf(new WebPubSubEventHandler("hub")), ...answers, "event.setState", "event.success", "event.fail"];
}

const TEXT = { type: "event", event: "Some.Event", dataType: "text", data: "x" };

function operations(operation) {
  operation("connect event: request", ["getMiddleware", "connect.success"], async (scene) => {
    const requests = new Queue();
    scene.handlesEvents({
      handleConnect(request, answer) {
        requests.push(request);
        answer.success();
      },
    });
    const token = { userId: "ada", roles: ["webpubsub.sendToGroup"], groups: ["g"] };
    const listener = await Listener.greeted(`${await scene.url(token)}&tag=a&tag=b`, [JSON_PROTOCOL], { "x-mine": "yes" });
    scene.leaving(() => listener.socket.terminate());
    const { context, claims, query, queries, headers, subprotocols, clientCertificates } = await requests.next();
    const signature = createHmac("sha256", scene.key).update(listener.id).digest("hex");
    const { origin, states, ...rest } = context;
    assert.deepEqual(rest, {
      signature: `sha256=${signature}`,
      userId: "ada",
      hub: scene.hub,
      connectionId: listener.id,
      eventName: "connect",
      clientProtocol: "default",
    });
    assert.equal(origin, new URL(scene.endpoint).hostname);
    assert.deepEqual(states, {});
    assert.deepEqual([claims.sub, claims.role, claims["webpubsub.group"]], [["ada"], token.roles, ["g"]]);
    assert.deepEqual([query, queries], [{ tag: ["a", "b"] }, { tag: ["a", "b"] }]);
    const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "x-mine");
    assert.deepEqual(header?.[1], ["yes"]);
    assert.deepEqual([subprotocols, clientCertificates], [[JSON_PROTOCOL], []]);
    // Without a response of the application, the token applies.
    assert.equal(listener.greeting.userId, "ada");
    assert.equal(await listener.may({ type: "sendToGroup", group: "g", data: 1 }), true);
  });
  operation("connect event: no callback", ["getMiddleware"], async (scene) => {
    scene.handlesEvents();
    assert.equal((await scene.listen({ userId: "ada" })).greeting.userId, "ada");
  });
  operation("connect event: user, groups and roles", ["connect.success"], async (scene) => {
    scene.handlesEvents({
      handleConnect(_, answer) {
        answer.success({ userId: "eve é", groups: ["theirs"], roles: ["webpubsub.joinLeaveGroup.theirs"] });
      },
    });
    const listener = await scene.listen({ userId: "ada", groups: ["mine"], roles: ["webpubsub.sendToGroup"] });
    assert.equal(listener.greeting.userId, "eve é");
    assert.deepEqual([await scene.service.groupExists("theirs"), await scene.service.groupExists("mine")], [true, false]);
    assert.equal(await listener.may({ type: "joinGroup", group: "theirs" }), true);
    assert.equal(await listener.may({ type: "sendToGroup", group: "theirs", data: 1 }), false);
  });
  operation("connect event: subprotocol", ["connect.success"], async (scene) => {
    scene.handlesEvents({ handleConnect: (_, answer) => answer.success({ subprotocol: "mine.v2" }) });
    const listener = await Listener.open(await scene.url(), ["mine.v1", "mine.v2"]);
    scene.leaving(() => listener.socket.terminate());
    assert.equal(listener.subprotocol, "mine.v2");
    await scene.service.sendToAll("hello", { contentType: "text/plain" });
    assert.equal(await listener.frames.next(), "hello");
  });
  for (const code of [400, 401, 500]) {
    operation(`connect event: refusal with ${code}`, ["connect.fail", "connect.failWith"], async (scene) => {
      const told = new Queue();
      scene.handlesEvents({
        handleConnect: ({ query }, answer) => (query.how ? answer.failWith({ code, detail: "why" }) : answer.fail(code, "why")),
        onConnected: (request) => told.push(request),
        onDisconnected: (request) => told.push(request),
      });
      const url = await scene.url();
      // Concurrently, because failures of the application's server are retried with delays.
      const refused = [url, `${url}&how=with`].map((url) => assert.rejects(Listener.open(url), { status: code }));
      await Promise.all(refused);
      assert.deepEqual(told.rest(), []);
    });
  }
  operation("connection state: included in events", ["connect.setState", "event.setState"], async (scene) => {
    const states = new Queue();
    scene.handlesEvents({
      handleConnect(_, answer) {
        answer.setState("count", 1);
        answer.setState("é", { deep: [null] });
        answer.success();
      },
      onConnected: ({ context }) => states.push(["connected", context.states]),
      handleUserEvent({ context }, answer) {
        const { count } = context.states;
        states.push(["event", { count }]);
        answer.setState("count", count + 1);
        if (count === 1) answer.success();
        else answer.fail(400);
      },
      onDisconnected: ({ context }) => states.push(["disconnected", context.states]),
    });
    const listener = await scene.listen();
    assert.deepEqual(await states.next(), ["connected", { count: 1, é: { deep: [null] } }]);
    await listener.ask(TEXT);
    await listener.ask(TEXT);
    listener.socket.close(1000);
    const rest = await states.take(3);
    // A failure does not change the state.
    assert.deepEqual(rest.map(([what, { count }]) => [what, count]), [["event", 1], ["event", 2], ["disconnected", 2]]);
  });
  operation("connected event", ["getMiddleware"], async (scene) => {
    const told = new Queue();
    scene.handlesEvents({ onConnected: (request) => told.push(request) });
    const listener = await scene.listen({ userId: "ada" });
    const { context } = await told.next();
    const { connectionId, eventName, userId, hub } = context;
    assert.deepEqual([connectionId, eventName, userId, hub], [listener.id, "connected", "ada", scene.hub]);
  });
  operation("disconnected event: reason", ["getMiddleware"], async (scene) => {
    const told = new Queue();
    scene.handlesEvents({ onDisconnected: (request) => told.push(request) });
    const listeners = [await scene.listen(), await scene.listen()];
    listeners[0].socket.close(1000, "bored");
    const bored = await told.next();
    assert.deepEqual([bored.context.connectionId, bored.context.eventName, bored.reason], [listeners[0].id, "disconnected", "bored"]);
    await scene.service.closeConnection(listeners[1].id, { reason: "enough" });
    const closed = await told.next();
    assert.equal(closed.context.connectionId, listeners[1].id);
    assert.equal(closed.reason, "Application server closed the connection. Reason: enough");
  });

  const events = {
    text: [{ dataType: "text", data: "plain é" }, ["text", "plain é"]],
    JSON: [{ dataType: "json", data: { deep: [1, null] } }, ["json", { deep: [1, null] }]],
    binary: [{ dataType: "binary", data: "AP8=" }, ["binary", Buffer.from([0, 255])]],
  };
  for (const [what, [event, expected]] of Object.entries(events)) {
    operation(`user event: ${what}`, ["event.success"], async (scene) => {
      const told = new Queue();
      scene.handlesEvents({
        handleUserEvent({ context, data, dataType }, answer) {
          told.push([context.eventName, dataType, data]);
          answer.success();
        },
      });
      const listener = await scene.listen();
      assert.equal(await listener.may({ ...TEXT, ...event }), true);
      assert.deepEqual(await told.next(), ["Some.Event", ...expected]);
    });
  }
  const replies = {
    text: [["plain é", "text"], { dataType: "text", data: "plain é" }],
    JSON: [['{"deep":[1.0]}', "json"], { dataType: "json", data: { deep: [1] } }],
    binary: [[Buffer.from([0, 255]), "binary"], { dataType: "binary", data: "AP8=" }],
  };
  for (const [what, [reply, expected]] of Object.entries(replies)) {
    operation(`reply to user event: ${what}`, ["event.success"], async (scene) => {
      scene.handlesEvents({ handleUserEvent: (_, answer) => answer.success(...reply) });
      const [asking, other] = [await scene.listen(), await scene.listen()];
      asking.send({ ...TEXT, ackId: 1 });
      const heard = await asking.frames.take(2);
      const { type, from, dataType, data } = heard.find((frame) => frame.type === "message");
      assert.deepEqual({ type, from, dataType, data }, { type: "message", from: "server", ...expected });
      assert.equal(heard.find((frame) => frame.type === "ack").success, true);
      assert.deepEqual(await scene.heardBy(other), [[]]);
    });
  }
  operation("user event: failure", ["event.fail"], async (scene) => {
    scene.handlesEvents({ handleUserEvent: ({ context }, answer) => answer.fail(Number(context.eventName.slice(1)), "why") });
    const fails = async (code) => {
      const { success, error } = await (await scene.listen()).ask({ ...TEXT, event: `E${code}` });
      assert.deepEqual([success, error.name], [false, "InternalServerError"]);
    };
    await Promise.all([400, 401, 500].map(fails));
  });
  operation("user event: no callback", ["getMiddleware"], async (scene) => {
    scene.handlesEvents();
    assert.equal(await (await scene.listen()).may(TEXT), true);
  });
  operation("user event: simple WebSocket client", ["event.success"], async (scene) => {
    scene.handlesEvents({ handleUserEvent: ({ context, data }, answer) => answer.success(`${context.eventName}: ${data}`, "text") });
    const listener = await Listener.open(await scene.url(), []);
    scene.leaving(() => listener.socket.terminate());
    listener.send("hello");
    assert.equal(await listener.frames.next(), "message: hello");
  });

  operation("group joined and left events", ["getMiddleware"], async (scene) => {
    const told = new Queue();
    scene.handlesEvents({ onGroupJoined: (request) => told.push(request), onGroupLeft: (request) => told.push(request) });
    const listener = await scene.listen({ userId: "ada", roles: ["webpubsub.joinLeaveGroup"] });
    for (const [type, event] of [["joinGroup", "joined"], ["leaveGroup", "left"]]) {
      await listener.ask({ type, group: "g é" });
      const { context, group } = await told.next();
      const { connectionId, eventName, userId, hub } = context;
      assert.deepEqual([group, connectionId, eventName, userId, hub], ["g é", listener.id, event, "ada", scene.hub]);
    }
  });
  operation("allowed endpoints", ["getMiddleware"], async (scene) => {
    scene.handlesEvents({ allowedEndpoints: ["https://elsewhere.example", new URL(scene.servers.answering.split(/[=;]/)[1]).origin] });
    await scene.listen();
  });
  operation("allowed endpoints: other endpoints rejected", ["getMiddleware"], async (scene) => {
    scene.handlesEvents({ allowedEndpoints: ["https://elsewhere.example"] });
    await assert.rejects(scene.listen(), { status: 500 });
  });
  operation("path", ["getMiddleware"], async (scene) => {
    scene.hub = "elsewhere";
    const handler = scene.handlesEvents({ path: "/Elsewhere", handleConnect: (_, answer) => answer.success({ userId: "path" }) });
    assert.equal(handler.path, "/elsewhere/");
    assert.equal((await scene.listen()).greeting.userId, "path");
  });
  operation("several hubs", ["getMiddleware"], async (scene) => {
    for (const hub of ["One", "Two"]) {
      scene.handlesEvents({ handleConnect: (_, answer) => answer.success({ userId: hub }) }, `${scene.hub}${hub}`);
    }
    const { hub } = scene;
    for (const name of ["One", "Two"]) {
      scene.hub = `${hub}${name}`;
      assert.equal((await scene.listen()).greeting.userId, name);
    }
  });
}

module.exports = { sdk: SDK, methods, operations };
