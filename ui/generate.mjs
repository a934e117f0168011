// Writes the types of the API from the document that the built service itself serves at /openapi.json.
import { mkdir, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { apiRoutes } from "../dist/http/app.js";
import { buildOpenApi } from "../dist/http/openapi.js";

const folder = new URL("./src/api/generated/", import.meta.url);
await mkdir(folder, { recursive: true });
const tree = await openapiTS(JSON.stringify(buildOpenApi(apiRoutes, null)), { alphabetize: true });
await writeFile(new URL("schema.d.ts", folder), astToString(tree));
