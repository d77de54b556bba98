// Service SDK: connections and permissions.

const assert = require("node:assert/strict");
const { eventually } = require("./queue.js");
const { SDK, methods } = require("./service_sdk.js");

const FAREWELL = "Application server closed the connection.";

/** Checks that the client receives the reason and a close frame. */
async function isClosed(listener, reason) {
  const message = reason === undefined ? FAREWELL : `${FAREWELL} Reason: ${reason}`;
  const farewell = await listener.frames.next();
  assert.deepEqual(farewell, { type: "system", event: "disconnected", message });
  assert.equal((await listener.closed).code, 1000);
}

function operations(operation) {
  const existence = {
    connection: ["connectionExists", (service, { id }) => service.connectionExists(id), (service) => service.connectionExists("nobody")],
    user: ["userExists", (service) => service.userExists("ada é"), (service) => service.userExists("nobody")],
    group: ["groupExists", (service) => service.groupExists("a group"), (service) => service.groupExists("nowhere")],
  };
  for (const [what, [method, isThere, isElsewhere]] of Object.entries(existence)) {
    operation(`${what} exists`, [method], async (scene) => {
      const listener = await scene.listen({ userId: "ada é", groups: ["a group"] });
      assert.equal(await isThere(scene.service, listener), true);
      assert.equal(await isElsewhere(scene.service), false);
      listener.socket.close(1000);
      await listener.closed;
      await eventually(async () => !(await isThere(scene.service, listener)));
    });
  }

  const closing = {
    "close connection": ["closeConnection", (service, { id }, options) => service.closeConnection(id, options)],
    "close connections of user": ["closeUserConnections", (service, _, options) => service.closeUserConnections("ada", options)],
    "close connections of group": ["group.closeAllConnections", (service, _, options) => service.group("g").closeAllConnections(options)],
    "close all connections": ["closeAllConnections", (service, _, options) => service.closeAllConnections(options)],
  };
  for (const [what, [method, close]] of Object.entries(closing)) {
    for (const [how, options] of [["without a reason", {}], ["reason", { reason: "done & é" }]]) {
      operation(`${what}: ${how}`, [method], async (scene) => {
        const ada = await scene.listen({ userId: "ada", groups: ["g"] });
        const bob = await scene.listen({ userId: "bob" });
        await close(scene.service, ada, options);
        await isClosed(ada, options.reason);
        await eventually(async () => !(await scene.service.connectionExists(ada.id)));
        if (what === "close all connections") await isClosed(bob, options.reason);
        else assert.deepEqual(await scene.heardBy(bob), [[]]);
      });
    }
  }
  for (const what of ["close connections of user", "close connections of group", "close all connections"]) {
    const [method, close] = closing[what];
    // The SDK's types do not have the option, but the SDK sends it.
    operation(`${what}: excluded connections`, [method], async (scene) => {
      const [closed, spared] = [
        await scene.listen({ userId: "ada", groups: ["g"] }),
        await scene.listen({ userId: "ada", groups: ["g"] }),
      ];
      await close(scene.service, closed, { excluded: [spared.id] });
      await isClosed(closed);
      assert.deepEqual(await scene.heardBy(spared), [[]]);
    });
  }

  const uses = {
    sendToGroup: (listener, group) => listener.may({ type: "sendToGroup", group, data: 1 }),
    joinLeaveGroup: (listener, group) => listener.may({ type: "joinGroup", group }),
  };
  for (const [permission, may] of Object.entries(uses)) {
    /** Checks that the reported permissions match the actual ones. */
    const agree = async (scene, listener, group, options, expected) => {
      assert.equal(await scene.service.hasPermission(listener.id, permission, options), expected);
      assert.equal(await may(listener, group), expected);
    };
    const options = { targetName: "a room" };
    operation(`grant, check and revoke permission: ${permission}`, ["grantPermission", "hasPermission", "revokePermission"], async (scene) => {
      const listener = await scene.listen();
      await agree(scene, listener, "a room", options, false);
      await scene.service.grantPermission(listener.id, permission, options);
      await agree(scene, listener, "a room", options, true);
      assert.equal(await may(listener, "another"), false);
      await scene.service.revokePermission(listener.id, permission, options);
      await agree(scene, listener, "a room", options, false);
      assert.equal(await scene.service.hasPermission("nobody", permission, options), false);
    });
    operation(`permission without a group is refused: ${permission}`, ["grantPermission", "revokePermission"], async (scene) => {
      const listener = await scene.listen();
      for (const name of ["grantPermission", "revokePermission"]) {
        await assert.rejects(scene.service[name](listener.id, permission, {}), { statusCode: 400 });
      }
      assert.equal(await may(listener, "a room"), false);
    });
  }
}

module.exports = { sdk: SDK, methods, operations };
