// Builds the web page if its sources are newer than what was built. The API works without it, so a failure is only said.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const built = `${folder}dist/index.html`;

/** When the newest of the sources was changed, in Unix milliseconds. */
function newest() {
  const sources = readdirSync(`${folder}src`, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && !each.parentPath.endsWith("generated"))
    .map((each) => `${each.parentPath}/${each.name}`);
  const others = ["index.html", "package-lock.json", "vite.config.ts", "public"].map((name) => folder + name);
  return Math.max(...[...sources, ...others].map((file) => statSync(file).mtimeMs));
}

const wanted = process.env.ADMIN_PAGE?.toLowerCase() !== "off";
if (wanted && existsSync(`${folder}src`) && !(existsSync(built) && statSync(built).mtimeMs > newest())) {
  console.log("Building the web page, which is needed once: about half a minute.");
  const { status } = spawnSync("npm", ["run", "ui:build", "--silent"], { cwd: `${folder}..`, stdio: "inherit" });
  if (status !== 0) {
    const page = existsSync(built) ? "/admin serves the page as it was built before" : "/admin is not served";
    console.error(`The web page could not be built, so ${page}; the API is not concerned.`);
  }
}
