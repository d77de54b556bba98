// Client SDK: events and invocations, with the Express middleware.

const assert = require("node:assert/strict");
const { raw } = require("express");
const { SDK, methods, inBoth } = require("./client_sdk.js");

const PROTOBUF = "application/x-protobuf";
const bytes = (...numbers) => new Uint8Array(numbers).buffer;

/** Application that echoes events, and fails at the event `fail`. */
function echoes(scene) {
  const asked = [];
  // The middleware does not support this content type, and leaves the body to other handlers.
  scene.servers.application.post(`/api/webpubsub/hubs/${scene.hub}`, raw({ type: PROTOBUF }), (request, response, next) => {
    if (!request.is(PROTOBUF)) return next();
    asked.push([request.get("ce-eventName"), "protobuf", [...request.body]]);
    response.type(PROTOBUF).send(request.body);
  });
  scene.handlesEvents({
    handleUserEvent({ context, data, dataType }, answer) {
      asked.push([context.eventName, dataType, dataType === "binary" ? [...data] : data]);
      if (context.eventName === "fail") return answer.fail(400, "not like this");
      if (context.eventName === "quiet") return answer.success();
      answer.success(dataType === "json" ? JSON.stringify(data) : data, dataType);
    },
  });
  return asked;
}

const CONTENTS = {
  text: "plain é",
  json: { deep: [1, { é: true }] },
  binary: bytes(0, 255),
  // Encoded `google.protobuf.Any`.
  protobuf: bytes(0x0a, 0x01, 0x61, 0x12, 0x01, 0x01),
};
const plainly = (content) => (content instanceof ArrayBuffer ? [...new Uint8Array(content)] : content);

function operations(operation) {
  for (const [dataType, content] of Object.entries(CONTENTS)) {
    const words = dataType === "json" ? "JSON" : dataType;
    operation(`send event: ${words}`, ["sendEvent"], inBoth(async (scene, options) => {
      const asked = echoes(scene);
      const watched = await scene.client({ userId: "ada" }, options);
      assert.equal((await watched.client.sendEvent("echo", content, dataType)).isDuplicated, false);
      assert.deepEqual(asked, [["echo", dataType, plainly(content)]]);
      const reply = await watched.hears("server");
      assert.deepEqual([reply.dataType, reply.data], [dataType, content]);
    }));
    operation(`invoke event: ${words}`, ["invokeEvent"], inBoth(async (scene, options) => {
      const asked = echoes(scene);
      const watched = await scene.client({}, options);
      const result = await watched.client.invokeEvent("echo", content, dataType);
      assert.deepEqual([result.dataType, result.data], [dataType, content]);
      assert.deepEqual(asked, [["echo", dataType, plainly(content)]]);
      // The response is not a message.
      assert.deepEqual(watched.told["server-message"].rest(), []);
    }));
  }
  operation("send event: fire and forget", ["sendEvent"], async (scene) => {
    echoes(scene);
    const watched = await scene.client();
    const result = await watched.client.sendEvent("echo", "forgotten", "text", { fireAndForget: true });
    assert.deepEqual(result, { isDuplicated: false });
    assert.equal((await watched.hears("server")).data, "forgotten");
  });
  operation("send event: ack id", ["sendEvent"], async (scene) => {
    const asked = echoes(scene);
    const watched = await scene.client();
    assert.deepEqual(await watched.client.sendEvent("quiet", "1", "text", { ackId: 7 }), { ackId: 7, isDuplicated: false });
    assert.deepEqual(await watched.client.sendEvent("quiet", "2", "text", { ackId: 7 }), { ackId: 7, isDuplicated: true });
    assert.deepEqual(asked, [["quiet", "text", "1"]]);
  });
  operation("send event: handler error", ["sendEvent"], async (scene) => {
    echoes(scene);
    const watched = await scene.client();
    await assert.rejects(watched.client.sendEvent("fail", "x", "text"), ({ errorDetail }) => errorDetail.name === "InternalServerError");
    // The connection stays open.
    await watched.client.sendEvent("quiet", "x", "text");
  });
  operation("send event: no handler", ["sendEvent"], async (scene) => {
    const watched = await scene.client();
    await assert.rejects(watched.client.sendEvent("echo", "x", "text"), ({ errorDetail }) => errorDetail.name === "InternalServerError");
  });
  operation("invoke event: invocation id", ["invokeEvent"], async (scene) => {
    echoes(scene);
    const watched = await scene.client();
    const result = await watched.client.invokeEvent("echo", "x", "text", { invocationId: "mine" });
    assert.deepEqual(result, { invocationId: "mine", dataType: "text", data: "x" });
    assert.equal((await watched.client.invokeEvent("quiet", "x", "text")).data, undefined);
  });
  operation("invoke event: several at once", ["invokeEvent"], async (scene) => {
    echoes(scene);
    const watched = await scene.client();
    const words = Array.from({ length: 20 }, (_, number) => `number ${number}`);
    const results = await Promise.all(words.map((word) => watched.client.invokeEvent("echo", word, "text")));
    assert.deepEqual(results.map(({ data }) => data), words);
  });
  operation("invoke event: abort signal", ["invokeEvent"], async (scene) => {
    const aborting = new AbortController();
    scene.handlesEvents({
      handleUserEvent({ context }, answer) {
        if (context.eventName === "echo") return answer.success("still here", "text");
        // The response arrives after the call was aborted.
        aborting.signal.addEventListener("abort", () => answer.success("too late", "text"));
        aborting.abort();
      },
    });
    const watched = await scene.client();
    await assert.rejects(watched.client.invokeEvent("slow", "x", "text", { abortSignal: aborting.signal }));
    assert.equal((await watched.client.invokeEvent("echo", "x", "text")).data, "still here");
  });
  operation("invoke event: handler error", ["invokeEvent"], async (scene) => {
    echoes(scene);
    const watched = await scene.client();
    const failed = ({ name, errorDetail }) => name === "InvocationError" && typeof errorDetail.name === "string";
    await assert.rejects(watched.client.invokeEvent("fail", "x", "text"), failed);
    assert.equal((await watched.client.invokeEvent("echo", "x", "text")).data, "x");
  });
  operation("invoke event: no handler", ["invokeEvent"], async (scene) => {
    const watched = await scene.client();
    const failed = ({ name, errorDetail }) => name === "InvocationError" && typeof errorDetail.name === "string";
    await assert.rejects(watched.client.invokeEvent("echo", "x", "text"), failed);
  });
}

module.exports = { sdk: SDK, methods, operations };
