// Entry for Vite's development server, which uses the condition `development` of package.json.
//
// Up to version 7, Vite bundles dependencies whose entry ends in .js into a cache folder, without the WebAssembly beside them.
// It serves a .jsx entry, and the modules that it imports, from where they are.
export * from "./tailcast.js";
