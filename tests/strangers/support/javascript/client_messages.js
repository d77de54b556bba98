// Client SDK: groups, publishing and receiving.

const assert = require("node:assert/strict");
const { SDK, MASTER, methods, inBoth } = require("./client_sdk.js");

const TEXT = { contentType: "text/plain" };
const bytes = (...numbers) => new Uint8Array(numbers).buffer;
/** Encoded `google.protobuf.Any`: type `a`, value 1. */
const ANY = bytes(0x0a, 0x01, 0x61, 0x12, 0x01, 0x01);

/** Data type: published and expected data. */
const MESSAGES = {
  text: ["plain é", ""],
  json: [{ deep: [1, null, { é: true }] }, "a string", 1.5, false],
  binary: [bytes(0, 255, 10)],
  protobuf: [ANY],
};

const isForbidden = (error) => error.name === "SendMessageError" && error.errorDetail.name === "Forbidden";

function operations(operation) {
  operation("join group", ["joinGroup"], inBoth(async (scene, options) => {
    const watched = await scene.client(MASTER, options);
    assert.equal((await watched.client.joinGroup("a room")).isDuplicated, false);
    await scene.service.group("a room").sendToAll("hello", TEXT);
    assert.equal((await watched.hears()).data, "hello");
  }));
  operation("join group: ack id", ["joinGroup"], inBoth(async (scene, options) => {
    const watched = await scene.client(MASTER, options);
    assert.deepEqual(await watched.client.joinGroup("g", { ackId: 77 }), { ackId: 77, isDuplicated: false });
    assert.deepEqual(await watched.client.joinGroup("h", { ackId: 77 }), { ackId: 77, isDuplicated: true });
    await scene.service.group("h").sendToAll("to h", TEXT);
    await scene.service.group("g").sendToAll("to g", TEXT);
    assert.equal((await watched.hears()).data, "to g");
  }));
  operation("join group: forbidden", ["joinGroup"], inBoth(async (scene, options) => {
    const watched = await scene.client({ roles: ["webpubsub.joinLeaveGroup.g"] }, options);
    await assert.rejects(watched.client.joinGroup("h"), isForbidden);
    await watched.client.joinGroup("g");
  }));
  operation("leave group", ["leaveGroup"], inBoth(async (scene, options) => {
    const watched = await scene.client({ ...MASTER, groups: ["g", "h"] }, options);
    assert.equal((await watched.client.leaveGroup("g")).isDuplicated, false);
    await scene.service.group("g").sendToAll("to g", TEXT);
    await scene.service.group("h").sendToAll("to h", TEXT);
    assert.equal((await watched.hears()).data, "to h");
  }));
  operation("leave group: ack id", ["leaveGroup"], inBoth(async (scene, options) => {
    const watched = await scene.client({ ...MASTER, groups: ["g"] }, options);
    await watched.client.leaveGroup("other", { ackId: 5 });
    assert.deepEqual(await watched.client.leaveGroup("g", { ackId: 5 }), { ackId: 5, isDuplicated: true });
    await scene.service.group("g").sendToAll("still", TEXT);
    assert.equal((await watched.hears()).data, "still");
  }));
  operation("leave group: forbidden", ["leaveGroup"], inBoth(async (scene, options) => {
    const watched = await scene.client({ groups: ["g"] }, options);
    await assert.rejects(watched.client.leaveGroup("g"), isForbidden);
  }));

  for (const [dataType, contents] of Object.entries(MESSAGES)) {
    operation(`send to group: ${dataType === "json" ? "JSON" : dataType}`, ["sendToGroup", "on"], inBoth(async (scene, options) => {
      const publisher = await scene.client({ ...MASTER, userId: "ada" }, options);
      const subscriber = await scene.client({ groups: ["a room"] }, options);
      for (const content of contents) {
        assert.equal((await publisher.client.sendToGroup("a room", content, dataType)).isDuplicated, false);
        const { kind, group, fromUserId, sequenceId, ...heard } = await subscriber.hears();
        assert.deepEqual([kind, group, fromUserId], ["groupData", "a room", "ada"]);
        assert.equal(typeof sequenceId, options.protocol.isReliableSubProtocol ? "number" : "undefined");
        assert.deepEqual({ dataType: heard.dataType, data: heard.data }, { dataType, data: content });
      }
    }));
  }
  operation("send to group: no echo", ["sendToGroup"], inBoth(async (scene, options) => {
    const publisher = await scene.client({ ...MASTER, groups: ["g"] }, options);
    const subscriber = await scene.client({ groups: ["g"] }, options);
    await publisher.client.sendToGroup("g", "for others", "text", { noEcho: true });
    await publisher.client.sendToGroup("g", "for all", "text", { noEcho: false });
    await publisher.client.sendToGroup("g", "end", "text");
    assert.deepEqual(await publisher.untilEnd(), ["for all"]);
    assert.deepEqual(await subscriber.untilEnd(), ["for others", "for all"]);
  }));
  operation("send to group: fire and forget", ["sendToGroup"], inBoth(async (scene, options) => {
    const publisher = await scene.client({ ...MASTER, groups: ["g"] }, options);
    const result = await publisher.client.sendToGroup("g", "forgotten", "text", { fireAndForget: true });
    assert.deepEqual(result, { isDuplicated: false });
    assert.equal((await publisher.hears()).data, "forgotten");
  }));
  operation("send to group: ack id", ["sendToGroup"], inBoth(async (scene, options) => {
    const publisher = await scene.client({ ...MASTER, groups: ["g"] }, options);
    const send = (data, ackId) => publisher.client.sendToGroup("g", data, "text", { ackId });
    assert.deepEqual(await send("first", 7), { ackId: 7, isDuplicated: false });
    assert.deepEqual(await send("second", 7), { ackId: 7, isDuplicated: true });
    await send("end", 8);
    assert.deepEqual(await publisher.untilEnd(), ["first"]);
  }));
  operation("send to group: forbidden", ["sendToGroup"], inBoth(async (scene, options) => {
    const publisher = await scene.client({}, options);
    await assert.rejects(publisher.client.sendToGroup("g", "x", "text"), isForbidden);
  }));
  operation("send to group: retry", ["sendToGroup"], inBoth(async (scene, options) => {
    const messageRetryOptions = { maxRetries: 100, retryDelayInMs: 20 };
    const publisher = await scene.client({ groups: ["g"] }, { ...options, messageRetryOptions });
    // A refusal is not stored: a later request with the same ack id can succeed.
    const sending = publisher.client.sendToGroup("g", "at last", "text", { ackId: 7 });
    await scene.service.grantPermission(publisher.connectionId, "sendToGroup", { targetName: "g" });
    assert.deepEqual(await sending, { ackId: 7, isDuplicated: false });
    assert.equal((await publisher.hears()).data, "at last");
  }));
  operation("server messages", ["on"], inBoth(async (scene, options) => {
    const watched = await scene.client({ userId: "ada" }, options);
    await scene.service.sendToUser("ada", "text é", TEXT);
    await scene.service.sendToConnection(watched.connectionId, { json: 1 });
    await scene.service.sendToAll(new Uint8Array([1, 2]));
    const heard = [await watched.hears("server"), await watched.hears("server"), await watched.hears("server")];
    assert.deepEqual(
      heard.map(({ dataType, data }) => [dataType, data]),
      [["text", "text é"], ["json", { json: 1 }], ["binary", bytes(1, 2)]],
    );
  }));
}

module.exports = { sdk: SDK, methods, operations };
