/**
 * The script of the documentation page, for browsers. The key goes from its field into the header and nowhere else:
 * not into the URL, not into storage. Requests go to the page's own server only, as the content policy demands.
 */
export const docsScript = `"use strict";
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let each = target && target.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", open);
// A second click on the same link changes no hash.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.hash === location.hash) open();
});
open();

const mostShown = 100000;

function requestOf(form) {
  const named = (where) => [...form.querySelectorAll("[data-in=" + where + "]")];
  const missing = [...form.querySelectorAll("input")].find((each) => each.required && each.value === "");
  if (missing) throw new Error("Fill in " + missing.name + ".");
  const values = new Map(named("path").map((each) => [each.name, each.value]));
  const path = form.dataset.path.replace(/{(\\w+)}/g, (_, name) => encodeURIComponent(values.get(name)));
  const query = new URLSearchParams(named("query").filter((each) => each.value !== "").map((each) => [each.name, each.value]));
  const headers = {};
  const key = document.getElementById("key").value.trim();
  if (key !== "") headers.authorization = "Bearer " + key;
  let body;
  const [json] = named("json");
  if (json && json.value.trim() !== "") {
    JSON.parse(json.value);
    headers["content-type"] = "application/json";
    body = json.value;
  }
  const fields = named("form");
  if (fields.length > 0) {
    body = new FormData();
    for (const each of fields) {
      if (each.type === "file") for (const file of each.files) body.append(each.name, file);
      else if (each.value !== "") body.append(each.name, each.value);
    }
  }
  const text = String(query);
  return { url: "." + path + (text === "" ? "" : "?" + text), method: form.dataset.method, headers, body };
}

async function send(form, output) {
  const { url, ...request } = requestOf(form);
  if (request.method === "DELETE" && !confirm("Send DELETE " + url + "?")) return "Not sent.";
  output.textContent = "…";
  const answer = await fetch(url, { ...request, credentials: "omit", cache: "no-store", redirect: "error" });
  const text = await answer.text();
  let shown = text;
  try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch {}
  return answer.status + " " + answer.statusText + "\\n" + shown.slice(0, mostShown);
}

for (const form of document.querySelectorAll("[data-path]")) {
  const output = form.querySelector("pre");
  form.querySelector("button").addEventListener("click", async () => {
    output.hidden = false;
    try { output.textContent = await send(form, output); } catch (error) { output.textContent = String(error.message); }
  });
}
`;
