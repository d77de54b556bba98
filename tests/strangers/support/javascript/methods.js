// What an SDK offers, by reflection.

/** The public methods of an object: those of its class, or its own when it is a plain object. */
function methodsOf(object, prefix = "") {
  const prototype = Object.getPrototypeOf(object);
  const holder = prototype === Object.prototype ? object : prototype;
  return Object.getOwnPropertyNames(holder)
    .filter((name) => name !== "constructor" && !name.startsWith("_"))
    .filter((name) => typeof Object.getOwnPropertyDescriptor(holder, name).value === "function")
    .map((name) => prefix + name);
}

module.exports = { methodsOf };
