// Client SDK: streams to and from a group.

const assert = require("node:assert/strict");
const { WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = require("@azure/web-pubsub-client");
const { Queue } = require("./queue.js");
const { SDK, MASTER, methods, inBoth } = require("./client_sdk.js");

const bytes = (...numbers) => new Uint8Array(numbers).buffer;

/** Returns the streams that a client receives, and the subscription. */
function subscribe({ client }, options) {
  const streams = new Queue();
  const subscription = client.onGroupStream((stream) => streams.push(stream), options);
  return { streams, subscription };
}

/** Returns the messages of a stream until its end, and the error that ended it. */
async function drained(stream) {
  const heard = [];
  try {
    for await (const { data } of stream) heard.push(data);
    return { heard };
  } catch (error) {
    return { heard, error };
  }
}

async function written(writer, ...texts) {
  for (const text of texts) await writer.write(text, "text");
}

/** Starts a publisher of streams and a subscriber of the group. */
const pair = async (scene, options) => [
  await scene.client({ ...MASTER, userId: "ada" }, options),
  await scene.client({ groups: ["g", "h"] }, options),
];

function operations(operation) {
  const kinds = { text: ["plain é", ""], json: [{ deep: [1, { é: true }] }, "a string"], binary: [bytes(0, 255)] };
  for (const [dataType, contents] of Object.entries(kinds)) {
    const words = dataType === "json" ? "JSON" : dataType;
    operation(`stream to group: ${words}`, ["openGroupStream", "onGroupStream", "stream.write", "stream.end"], inBoth(async (scene, options) => {
      const [publisher, subscriber] = await pair(scene, options);
      const { streams } = subscribe(subscriber);
      const writer = await publisher.client.openGroupStream("g");
      for (const content of contents) await writer.write(content, dataType);
      await writer.end();
      const stream = await streams.next();
      assert.deepEqual([stream.groupName, stream.streamId], ["g", writer.streamId]);
      const heard = [];
      for await (const message of stream) heard.push(message);
      assert.deepEqual(heard.map((message) => message.data), contents);
      assert.deepEqual(heard.map(({ stream }) => stream.streamSequenceId), contents.map((_, at) => at + 1));
      assert.ok(heard.every((message) => message.dataType === dataType && message.fromUserId === "ada"));
      await assert.rejects(writer.write("x", "text"));
    }));
  }
  operation("stream to group: a thousand fragments", ["stream.write"], inBoth(async (scene, options) => {
    const [publisher, subscriber] = await pair(scene, options);
    const { streams } = subscribe(subscriber);
    const writer = await publisher.client.openGroupStream("g");
    const texts = Array.from({ length: 1_000 }, (_, number) => `${number}`);
    await Promise.all(texts.map((text) => writer.write(text, "text")));
    await writer.end();
    assert.deepEqual(await drained(await streams.next()), { heard: texts });
  }));
  operation("stream to group: stream id", ["openGroupStream"], async (scene) => {
    const [publisher, subscriber] = await pair(scene);
    const { streams } = subscribe(subscriber);
    const one = await publisher.client.openGroupStream("g", { streamId: "one" });
    const two = await publisher.client.openGroupStream("h", { streamId: "two" });
    await written(one, "1");
    await written(two, "2");
    await one.end();
    await two.end();
    const heard = [await streams.next(), await streams.next()];
    assert.deepEqual(heard.map(({ streamId }) => streamId), ["one", "two"]);
    assert.deepEqual([await drained(heard[0]), await drained(heard[1])], [{ heard: ["1"] }, { heard: ["2"] }]);
  });
  operation("stream to group: no echo", ["openGroupStream"], async (scene) => {
    const publisher = await scene.client({ ...MASTER, groups: ["g"] });
    const { streams } = subscribe(publisher);
    for (const noEcho of [true, false]) {
      const writer = await publisher.client.openGroupStream("g", { streamId: `no echo ${noEcho}`, noEcho });
      await written(writer, "x");
      await writer.end();
    }
    assert.equal((await streams.next()).streamId, "no echo false");
  });
  operation("stream to group: idle time", ["openGroupStream", "stream.onError"], async (scene) => {
    const [publisher, subscriber] = await pair(scene);
    const { streams } = subscribe(subscriber);
    const [errors, unwanted] = [new Queue(), new Queue()];
    const writer = await publisher.client.openGroupStream("g", { idleTimeoutInMs: 200 });
    writer.onError((error) => errors.push(error));
    writer.onError((error) => unwanted.push(error))();
    await written(writer, "x");
    assert.equal((await errors.next()).name, "IdleTimeout");
    assert.deepEqual(unwanted.rest(), []);
    const { heard, error } = await drained(await streams.next());
    assert.deepEqual([heard, error.name], [["x"], "IdleTimeout"]);
  });
  operation("stream to group: forbidden", ["openGroupStream"], async (scene) => {
    const publisher = await scene.client({ roles: ["webpubsub.sendToGroup.h"] });
    await assert.rejects(publisher.client.openGroupStream("g"), { name: "Forbidden" });
    await (await publisher.client.openGroupStream("h")).end();
  });
  operation("stream to group: abort", ["stream.abort"], inBoth(async (scene, options) => {
    const [publisher, subscriber] = await pair(scene, options);
    const { streams } = subscribe(subscriber);
    const writer = await publisher.client.openGroupStream("g");
    await written(writer, "x");
    await writer.abort({ message: "broken", userErrorCode: "E42" });
    const { heard, error } = await drained(await streams.next());
    assert.deepEqual(heard, ["x"]);
    assert.deepEqual(error, { name: "UserError", message: "broken", userErrorCode: "E42" });
  }));
  operation("stream to group: publisher disconnects", ["onGroupStream"], async (scene) => {
    const [publisher, subscriber] = await pair(scene, { protocol: WebPubSubJsonProtocol(), autoReconnect: false });
    const { streams } = subscribe(subscriber);
    const writer = await publisher.client.openGroupStream("g");
    await written(writer, "x");
    publisher.client.stop();
    const { heard, error } = await drained(await streams.next());
    assert.deepEqual([heard, typeof error.name], [["x"], "string"]);
  });
  operation("stream to group: across a recovery", ["openGroupStream", "stream.write"], async (scene) => {
    const [publisher, way] = await scene.clientOnAWay(MASTER, { protocol: WebPubSubJsonReliableProtocol() });
    const subscriber = await scene.client({ groups: ["g"] });
    const { streams } = subscribe(subscriber);
    const writer = await publisher.client.openGroupStream("g");
    await written(writer, "before");
    way.cut();
    await written(writer, "meanwhile", "after");
    await writer.end();
    assert.deepEqual(await drained(await streams.next()), { heard: ["before", "meanwhile", "after"] });
  });

  operation("receive streams: from the start only", ["onGroupStream"], async (scene) => {
    const [publisher, early] = await pair(scene);
    const writer = await publisher.client.openGroupStream("g");
    await written(writer, "1");
    await early.hears();
    const late = await scene.client({ groups: ["g"] });
    const [fromStart, any] = [subscribe(late, { handleFromStart: true }), subscribe(late, { handleFromStart: false })];
    await written(writer, "2");
    await writer.end();
    assert.deepEqual(await drained(await any.streams.next()), { heard: ["2"] });
    assert.deepEqual(fromStart.streams.rest(), []);
  });
  operation("receive streams: group names", ["onGroupStream"], async (scene) => {
    const [publisher, subscriber] = await pair(scene);
    const { streams } = subscribe(subscriber, { groupNames: ["h"] });
    for (const group of ["g", "h"]) {
      const writer = await publisher.client.openGroupStream(group);
      await written(writer, group);
      await writer.end();
    }
    assert.deepEqual(await drained(await streams.next()), { heard: ["h"] });
  });
  operation("receive streams: idle time", ["onGroupStream"], async (scene) => {
    const [publisher, subscriber] = await pair(scene);
    const { streams } = subscribe(subscriber, { idleTimeoutInMs: 100 });
    await written(await publisher.client.openGroupStream("g"), "x");
    const stream = await streams.next();
    const { heard, error } = await drained(stream);
    assert.deepEqual([heard, error.name, stream.abortSignal.aborted], [["x"], "IdleTimeout", true]);
  });
  operation("receive streams: closed subscription", ["subscription.close"], async (scene) => {
    const [publisher, subscriber] = await pair(scene);
    const [closed, open] = [subscribe(subscriber), subscribe(subscriber)];
    assert.equal(closed.subscription.isActive, true);
    await closed.subscription.close();
    assert.equal(closed.subscription.isActive, false);
    const writer = await publisher.client.openGroupStream("g");
    await written(writer, "x");
    await writer.end();
    await open.streams.next();
    assert.deepEqual(closed.streams.rest(), []);
  });
}

module.exports = { sdk: SDK, methods, operations };
