/** Starts a service with its own fake proxy before the tests of each suite that imports this module. */
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";

export let proxy: FakeProxy;
export let service: TestService;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: proxy.environment });
});
afterEach(() => {
  proxy.reset();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});
