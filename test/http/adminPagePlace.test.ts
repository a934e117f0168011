import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import request from "supertest";
import { type TestService, startService } from "../support/service.js";
import { html, makePage, visit } from "./adminPageSupport.js";
import { errorOf } from "./requests.js";

let page: ReturnType<typeof makePage>;
let service: TestService;
let elsewhere: TestService;
beforeAll(async () => {
  page = makePage();
  service = await startService({ pageDirectory: page.dist });
  elsewhere = await startService({
    pageDirectory: page.dist,
    database: service.database,
    environment: { ADMIN_BASE_PATH: "/team-1/stores" },
  });
});
afterAll(async () => {
  await elsewhere.stop();
  await service.close();
  page.remove();
});

describe("where it is", () => {
  test("a browser that asks for / is led to it, a program is not", async () => {
    await visit("/", service).expect(302).expect("location", "./admin");
    await request(service.url).get("/").expect(200).expect("content-type", /json/);
    await visit("/", elsewhere).expect(302).expect("location", "./team-1/stores");
  });

  test("ADMIN_BASE_PATH moves it with its links", async () => {
    const { text } = await visit("/team-1/stores/a", elsewhere).expect(200);
    expect(text).toContain('src="/team-1/stores/assets/index-4f3c2b1a.js"');
    await visit("/team-1/stores/assets/index-4f3c2b1a.js", elsewhere).expect(200);
    await visit("/admin", elsewhere).expect(404);
    await visit("/team-1", elsewhere).expect(404);
    await visit("/team-1/storesroom", elsewhere).expect(404);
    await visit("/Team-1/stores", elsewhere).expect(404);
  });

  test("ADMIN_PAGE=off removes it", async () => {
    const off = await startService({
      pageDirectory: page.dist,
      database: service.database,
      environment: { ADMIN_PAGE: "off" },
    });
    try {
      for (const path of ["/admin", "/admin/stores", "/admin/assets/index-4f3c2b1a.js"]) {
        expect(errorOf(await visit(path, off).expect(404)).code).toBe("unknown_url");
      }
      await visit("/", off).expect(302).expect("location", "./docs");
    } finally {
      await off.stop();
    }
  });

  test("one that is not built says how to build it, and comes once it is", async () => {
    const directory = join(page.place, "later");
    const later = await startService({ pageDirectory: directory, database: service.database });
    try {
      const { text, headers } = await visit("/admin/stores", later).expect(503);
      expect(text).toContain("npm run ui:build");
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      await visit("/", later).expect("location", "./docs");
      expect(errorOf(await visit("/admin/assets/a.js", later).expect(404)).code).toBe("unknown_url");
      mkdirSync(directory);
      writeFileSync(join(directory, "index.html"), html);
      await visit("/admin/stores", later).expect(200);
      await visit("/", later).expect("location", "./admin");
    } finally {
      await later.stop();
    }
  });
});
