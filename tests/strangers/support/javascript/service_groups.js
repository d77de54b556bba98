// Service SDK: membership of groups.

const assert = require("node:assert/strict");
const { SDK, methods } = require("./service_sdk.js");

/** Returns the members of the group among these clients: those that receive a message to it. */
async function members(scene, group, listeners) {
  await scene.service.group(group).sendToAll("here?", { contentType: "text/plain" });
  return (await scene.heardBy(...listeners)).map((heard) => heard.includes("here?"));
}

async function everyPage(pages) {
  const all = [];
  for await (const page of pages) all.push(page);
  return all;
}

function operations(operation) {
  operation("add connection to group", ["group.addConnection"], async (scene) => {
    const listeners = [await scene.listen(), await scene.listen()];
    await scene.service.group("a b").addConnection(listeners[0].id);
    assert.deepEqual(await members(scene, "a b", listeners), [true, false]);
    await assert.rejects(scene.service.group("a b").addConnection("nobody"), { statusCode: 404 });
  });
  operation("remove connection from group", ["group.removeConnection"], async (scene) => {
    const listeners = [await scene.listen({ groups: ["a b"] }), await scene.listen({ groups: ["a b"] })];
    await scene.service.group("a b").removeConnection(listeners[0].id);
    assert.deepEqual(await members(scene, "a b", listeners), [false, true]);
    await scene.service.group("a b").removeConnection("nobody");
  });
  operation("add user to group", ["group.addUser"], async (scene) => {
    const listeners = [await scene.listen({ userId: "ada" }), await scene.listen({ userId: "ada" }), await scene.listen()];
    await scene.service.group("g").addUser("ada");
    assert.deepEqual(await members(scene, "g", listeners), [true, true, false]);
    await assert.rejects(scene.service.group("g").addUser("nobody"), { statusCode: 404 });
  });
  operation("remove user from group", ["group.removeUser"], async (scene) => {
    const listeners = [await scene.listen({ userId: "ada", groups: ["g"] }), await scene.listen({ groups: ["g"] })];
    await scene.service.group("g").removeUser("ada");
    assert.deepEqual(await members(scene, "g", listeners), [false, true]);
    await scene.service.group("g").removeUser("nobody");
  });
  const leaving = {
    "remove connection from all groups": ["removeConnectionFromAllGroups", (service, { id }) => service.removeConnectionFromAllGroups(id)],
    "remove user from all groups": ["removeUserFromAllGroups", (service) => service.removeUserFromAllGroups("ada")],
  };
  for (const [what, [method, leave]] of Object.entries(leaving)) {
    operation(what, [method], async (scene) => {
      const listeners = [await scene.listen({ userId: "ada", groups: ["g", "h"] }), await scene.listen({ groups: ["g", "h"] })];
      await leave(scene.service, listeners[0]);
      assert.deepEqual(await members(scene, "g", listeners), [false, true]);
      assert.deepEqual(await members(scene, "h", listeners), [false, true]);
    });
  }
  operation("add connections to groups by filter", ["addConnectionsToGroups"], async (scene) => {
    const listeners = [await scene.listen({ userId: "ada" }), await scene.listen({ userId: "bob" })];
    await scene.service.addConnectionsToGroups(["g", "h"], "startswith(userId, 'a')");
    assert.deepEqual(await members(scene, "g", listeners), [true, false]);
    assert.deepEqual(await members(scene, "h", listeners), [true, false]);
  });
  operation("remove connections from groups by filter", ["removeConnectionsFromGroups"], async (scene) => {
    const listeners = [
      await scene.listen({ userId: "ada", groups: ["g", "h", "i"] }),
      await scene.listen({ userId: "bob", groups: ["g", "h", "i"] }),
    ];
    await scene.service.removeConnectionsFromGroups(["g", "h"], "userId eq 'ada'");
    assert.deepEqual(await members(scene, "g", listeners), [false, true]);
    assert.deepEqual(await members(scene, "h", listeners), [false, true]);
    assert.deepEqual(await members(scene, "i", listeners), [true, true]);
  });

  /** Adds three users and an anonymous client to a group. Returns them in the format of the service's list. */
  const inhabit = async (scene) => {
    const expected = [];
    for (const userId of ["ada", "bob", "eve é", undefined]) {
      const { id: connectionId } = await scene.listen({ userId, groups: ["g"] });
      expected.push({ connectionId, userId });
    }
    return expected.sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
  };
  const listing = (what, act) => operation(`list connections of group: ${what}`, ["group.listConnections"], act);
  const flat = (pages) => pages.flat().map(({ connectionId, userId }) => ({ connectionId, userId: userId ?? undefined }));

  listing("all", async (scene) => {
    const expected = await inhabit(scene);
    const listed = await everyPage(await scene.service.group("g").listConnections());
    assert.deepEqual(flat(listed), expected);
    assert.deepEqual(await everyPage(await scene.service.group("nowhere").listConnections()), []);
  });
  listing("pages", async (scene) => {
    const expected = await inhabit(scene);
    const paged = await scene.service.group("g").listConnections({ maxPageSize: 3 });
    const pages = await everyPage(paged.byPage());
    assert.deepEqual(pages.map((page) => page.length), [3, 1]);
    assert.deepEqual(flat(pages), expected);
  });
  listing("limit", async (scene) => {
    const expected = await inhabit(scene);
    const listed = await everyPage(await scene.service.group("g").listConnections({ top: 3, maxPageSize: 2 }));
    assert.deepEqual(flat(listed), expected.slice(0, 3));
  });
  listing("continuation token", async (scene) => {
    const expected = await inhabit(scene);
    let continuationToken;
    const onResponse = ({ bodyAsText }) => {
      continuationToken ??= new URL(JSON.parse(bodyAsText).nextLink).searchParams.get("continuationToken");
    };
    const paged = await scene.service.group("g").listConnections({ maxPageSize: 3, onResponse });
    await paged.byPage().next();
    const rest = await everyPage(await scene.service.group("g").listConnections({ continuationToken }));
    assert.deepEqual(flat(rest), expected.slice(3));
  });
}

module.exports = { sdk: SDK, methods, operations };
