import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findHeirOfKey, listPredecessors } from "../../../src/db/tables/keyRotation.js";
import { type TestService, startService } from "../../support/service.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
  await service.database.exec(`
    INSERT INTO vector_store_audit (id, at, actor, action, target, details)
    SELECT 'act' || n, now(), 'master', 'permission.grant', 'vs_' || n, '{}' FROM generate_series(1, 20000) AS n;
    INSERT INTO vector_store_audit (id, at, actor, action, target, details)
    SELECT 'rot' || n, now(), 'master', 'litellm_key.rotate', 'k' || n, jsonb_build_object('newKey', 'k' || n + 1)
    FROM generate_series(1, 3) AS n;
    ANALYZE vector_store_audit`);
});
afterAll(() => service.close());

describe("a key that took another one's place", () => {
  test("is found from either end", async () => {
    expect(await findHeirOfKey(service.db, "k1")).toBe("k4");
    expect(await findHeirOfKey(service.db, "k4")).toBe("k4");
    expect((await listPredecessors(service.db, "k4")).sort()).toEqual(["k1", "k2", "k3"]);
  });

  test.each(["target = 'k1'", "details ->> 'newKey' = 'k4'"])("is looked up by an index: %s", async (condition) => {
    const plan = await service.database.query<Record<string, string>>(
      `EXPLAIN SELECT target FROM vector_store_audit WHERE action = 'litellm_key.rotate' AND ${condition}`,
    );
    expect(JSON.stringify(plan)).toMatch(/Index.*vector_store_audit_by_(rotated|heir)/);
  });
});
