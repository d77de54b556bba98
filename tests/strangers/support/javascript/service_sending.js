// Service SDK: sending to all clients, users, connections and groups.

const assert = require("node:assert/strict");
const { odata } = require("@azure/web-pubsub");
const { RELIABLE_PROTOCOL } = require("./listener.js");
const { passed } = require("./queue.js");
const { SDK, methods } = require("./service_sdk.js");

const TEXT = { contentType: "text/plain" };
const USER = "ada é?";

/** The four targets of messages: all reach Ada, and only one reaches all clients. */
const TARGETS = {
  all: ["sendToAll", (scene, _, ...words) => scene.service.sendToAll(...words)],
  user: ["sendToUser", (scene, _, ...words) => scene.service.sendToUser(USER, ...words)],
  connection: ["sendToConnection", (scene, ada, ...words) => scene.service.sendToConnection(ada.id, ...words)],
  group: ["group.sendToAll", (scene, _, ...words) => scene.service.group("a group").sendToAll(...words)],
};

/** Message type: sent and expected data. */
const MESSAGES = {
  text: [["plain é", TEXT, "text", "plain é"], ["", TEXT, "text", ""]],
  JSON: [
    [{ deep: [1, null, { é: true }] }, {}, "json", { deep: [1, null, { é: true }] }],
    ["a string", {}, "json", "a string"],
    [1.5, {}, "json", 1.5],
    [false, {}, "json", false],
  ],
  binary: [
    [new Uint8Array([0, 255, 10]), {}, "binary", "AP8K"],
    [new Uint8Array([1]).buffer, {}, "binary", "AQ=="],
  ],
};

const adaListens = (scene, subprotocols) => scene.listen({ userId: USER, groups: ["a group"] }, subprotocols);

function operations(operation) {
  for (const [target, [method, send]] of Object.entries(TARGETS)) {
    for (const [kind, messages] of Object.entries(MESSAGES)) {
      operation(`send to ${target}: ${kind}`, [method], async (scene) => {
        const [ada, other] = [await adaListens(scene), await scene.listen({ userId: "bob" })];
        for (const [message, options, dataType, data] of messages) {
          await send(scene, ada, message, options);
          const { type, from, group, ...heard } = await ada.frames.next();
          assert.deepEqual([type, from], ["message", target === "group" ? "group" : "server"]);
          assert.equal(group, target === "group" ? "a group" : undefined);
          assert.deepEqual({ dataType: heard.dataType, data: heard.data }, { dataType, data });
        }
        const [, heardByOther] = await scene.heardBy(ada, other);
        assert.equal(heardByOther.length, target === "all" ? messages.length : 0);
      });
    }

    operation(`send to ${target}: message TTL`, [method], async (scene) => {
      const ada = await adaListens(scene, [RELIABLE_PROTOCOL]);
      await send(scene, ada, "in time", { ...TEXT, messageTtlSeconds: 300 });
      assert.equal((await ada.frames.next()).data, "in time");
      await ada.drop();
      await send(scene, ada, "too late", { ...TEXT, messageTtlSeconds: 1 });
      await send(scene, ada, "kept", { ...TEXT, messageTtlSeconds: 0 });
      await passed(1_200);
      const back = await ada.recovered();
      scene.leaving(() => back.socket.terminate());
      const { data } = await back.frames.until((frame) => frame.data !== "in time");
      assert.equal(data, "kept");
      await assert.rejects(send(scene, ada, "x", { ...TEXT, messageTtlSeconds: 301 }), { statusCode: 400 });
    });
  }

  for (const target of ["all", "user", "group"]) {
    const [method, send] = TARGETS[target];
    operation(`send to ${target}: filter`, [method, "odata"], async (scene) => {
      const token = { userId: USER, groups: ["a group"] };
      const [one, two] = [await scene.listen({ ...token, groups: ["a group", "vip"] }), await scene.listen(token)];
      await send(scene, one, "for one", { ...TEXT, filter: "'vip' in groups" });
      await send(scene, one, "for two", { ...TEXT, filter: odata`connectionId eq ${two.id}` });
      await send(scene, one, "for both", { ...TEXT, filter: odata`userId ne ${null} and userId ne ${"o'neil"}` });
      assert.deepEqual(await scene.heardBy(one, two), [["for one", "for both"], ["for two", "for both"]]);
      await assert.rejects(send(scene, one, "x", { ...TEXT, filter: "userId lt 1" }), { statusCode: 400 });
    });
  }

  for (const target of ["all", "group"]) {
    const [method, send] = TARGETS[target];
    operation(`send to ${target}: excluded connections`, [method], async (scene) => {
      const listeners = [await adaListens(scene), await adaListens(scene), await adaListens(scene)];
      const excludedConnections = listeners.slice(1).map(({ id }) => id);
      await send(scene, listeners[0], "for the first", { ...TEXT, excludedConnections });
      assert.deepEqual(await scene.heardBy(...listeners), [["for the first"], [], []]);
    });
  }
}

module.exports = { sdk: SDK, methods, operations };
