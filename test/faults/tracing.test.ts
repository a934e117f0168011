import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Provider } from "../litellm/support.js";
import { until } from "../support/httpClient.js";
import { testKey } from "../support/settings.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, compileProgram } from "../support/serverProcess.js";
import { startSlowModel } from "../support/slowModel.js";

let program: Program;
let data: ServerData;
let model: Provider;
beforeAll(async () => {
  [program, data, model] = await Promise.all([compileProgram(), createServerData(), startSlowModel()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
  await model[Symbol.asyncDispose]();
});

/** An OpenTelemetry collector that keeps its input; names and attributes are plain text in OTLP's protobuf. */
async function startCollector() {
  const received: { url: string; headers: IncomingHttpHeaders; text: string }[] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part: Buffer) => parts.push(part));
    req.once("end", () => {
      received.push({ url: req.url ?? "", headers: req.headers, text: Buffer.concat(parts).toString("latin1") });
      res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

test("a request, its statements and its model calls are one trace, without the caller's texts, keys or ids", async () => {
  const marker = "MARKER-9e1c";
  const collector = await startCollector();
  const server = await program.start({
    ...data.environment,
    LITELLM_PROXY_URL: model.url,
    EMBEDDING__API_KEY: `sk-model-${marker}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=one",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    SHUTDOWN_DELAY_SECONDS: "0",
  });
  const headers = {
    authorization: `Bearer ${testKey}`,
    "content-type": "application/json",
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  };
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${server.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { id: string };
  };
  const { id } = await post("/v1/vector_stores", { name: marker });
  await post(`/v1/vector_stores/${id}/embeddings`, { content: marker, metadata: { [marker]: marker } });
  const filters = { type: "eq", key: marker, value: marker };
  await post(`/v1/vector_stores/${id}/search`, { query: marker, filters });

  // The proxy's spans belong to the same trace.
  expect(model.asked.at(-1)?.headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  await until("the log of the search", () => (server.stdout().includes(`"traceId":"${traceId}"`) ? true : null));
  // Spans that were not sent yet are sent at the end.
  server.child.kill("SIGTERM");
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await collector.close();

  expect(collector.received.map(({ url }) => url)).toContain("/v1/traces");
  expect(collector.received[0]?.headers["x-tenant"]).toBe("one");
  const text = collector.received.map((each) => each.text).join();
  for (const name of [
    "POST /vector_stores/:vector_store_id/search",
    "litellm embeddings",
    "postgresql SELECT",
    "vector-store",
    "deployment.environment.name",
  ]) {
    expect(text).toContain(name);
  }
  const trace = Buffer.from(traceId, "hex").toString("latin1");
  expect(text.split(trace).length).toBeGreaterThan(8);
  expect(text).not.toContain(marker);
  expect(text).not.toContain(testKey);
});

test("an unreachable collector breaks nothing and is reported in the log", async () => {
  const server = await program.start({
    ...data.environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
    OTEL_EXPORTER_OTLP_TIMEOUT: "500",
    OTEL_BSP_SCHEDULE_DELAY: "10",
    SHUTDOWN_DELAY_SECONDS: "0",
  });
  const answer = await fetch(`${server.url}/v1/vector_stores`, { headers: { authorization: `Bearer ${testKey}` } });
  expect(answer.status).toBe(200);
  await server.logged("traces could not be sent");
  server.child.kill("SIGTERM");
  expect((await server.exited).code).toBe(0);
});
