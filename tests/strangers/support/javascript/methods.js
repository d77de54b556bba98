// Public methods of an SDK, by reflection.

/** Returns the public methods of an object: those of its class, or of the object itself if it is a plain one. */
function methodsOf(object, prefix = "") {
  const prototype = Object.getPrototypeOf(object);
  const holder = prototype === Object.prototype ? object : prototype;
  return Object.getOwnPropertyNames(holder)
    .filter((name) => name !== "constructor" && !name.startsWith("_"))
    .filter((name) => typeof Object.getOwnPropertyDescriptor(holder, name).value === "function")
    .map((name) => prefix + name);
}

module.exports = { methodsOf };
