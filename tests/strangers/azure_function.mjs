// Minimal host of an Azure Function: passes requests to the function and returns its responses.
//
// usage: node azure_function.mjs FOLDER ALLOWED_ORIGIN
// Prints its port when ready. FOLDER is a function app with its node_modules.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, allowedOrigin] = process.argv.slice(2);
const { HttpRequest } = createRequire(join(folder, "package.json"))("@azure/functions");
const { negotiate } = await import(pathToFileURL(join(folder, "src/functions/negotiate.js")));

const server = createServer(async (request, response) => {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const url = `http://${request.headers.host}${request.url}`;
  const answer = await negotiate(new HttpRequest({ method: request.method, url, headers }));
  // As the CORS settings of a function app.
  response.writeHead(answer.status ?? 200, { ...answer.headers, "Access-Control-Allow-Origin": allowedOrigin });
  response.end(answer.jsonBody ? JSON.stringify(answer.jsonBody) : answer.body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
