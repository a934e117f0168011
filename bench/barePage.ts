import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { join } from "node:path";
import { listen } from "./listen.js";

/**
 * The limit for the web page: pages without a library, from a server without a database. It shows what the browser
 * itself takes on this machine.
 */

/** A table whose next page is fetched and drawn by the few lines that this needs. */
const list = `<!doctype html><title>bare</title><table><tbody></tbody></table><nav><a href="#">Next</a></nav><script>
let page = 0;
const show = async () => {
  const { data } = await (await fetch("/stores?page=" + (page += 1))).json();
  document.querySelector("tbody").replaceChildren(...data.map((store) => {
    const row = document.createElement("tr");
    const cells = [store.name, store.id, store.rows, store.bytes, store.embedding_model, store.created_at];
    row.append(...cells.map((value, place) => {
      const cell = document.createElement("td");
      const at = place === 0 ? cell.appendChild(document.createElement("a")) : cell;
      at.textContent = (place === 0 ? page + " " : "") + value;
      return cell;
    }));
    return row;
  }));
};
document.querySelector("nav a").addEventListener("click", (event) => { event.preventDefault(); void show(); });
void show();
</script>`;

/** All rows of a table at once, as a page without virtualisation has them. */
const rows = (count: number) =>
  `<!doctype html><title>bare</title><div role="table" style="height: 70vh; overflow: auto"><table>${Array.from(
    { length: count },
    (_, n) => `<tr style="height: 58px"><td>file-${n}.txt<td>completed<td>${n} bytes`,
  ).join("")}</table></div>`;

const upload = `<!doctype html><title>bare</title><input type="file"><script>
document.querySelector("input").addEventListener("change", ({ target }) => {
  void fetch("/upload", { method: "POST", body: target.files[0] }).then(() => (document.title = "sent"));
});
</script>`;

/**
 * @param options.stores what the service answers for a page of vector stores
 * @param options.rows of the table that scrolls
 * @returns the server's URL: `/list`, `/rows`, `/upload`
 */
export async function startBarePages(options: { stores: string; rows: number; directory: string }): Promise<string> {
  const { stores, directory } = options;
  const pages: Partial<Record<string, string>> = { "/list": list, "/rows": rows(options.rows), "/upload": upload };
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const { pathname } = new URL(req.url ?? "/", "http://bare");
    if (req.method === "POST") await keep(req, join(directory, "bare-upload"));
    const isData = pathname === "/stores";
    res.setHeader("content-type", isData ? "application/json" : "text/html");
    res.end(isData ? stores : (pages[pathname] ?? ""));
  };
  return listen(createServer((req, res) => void answer(req, res)));
}

async function keep(req: IncomingMessage, path: string): Promise<void> {
  const file = createWriteStream(path);
  req.pipe(file);
  await once(file, "finish");
  await rm(path);
}
