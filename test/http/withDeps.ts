import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildApp } from "../../src/http/app.js";
import type { Deps } from "../../src/core/deps.js";
import { giveEngine } from "../support/engine.js";
import type { TestService } from "../support/service.js";

/** The same service on its own port, with some dependencies replaced. */
export async function withDeps<T>(
  service: TestService,
  changes: Partial<Deps>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const deps = { ...service.deps, ...changes };
  // The engine uses the same database.
  if (changes.db !== undefined && changes.engine === undefined) giveEngine({ deps });
  const server = createServer(buildApp(deps));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
