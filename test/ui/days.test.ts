import { describe, expect, test } from "@jest/globals";
import { daysBetween, daysOf, mostDays, periodProblem, usualPeriod } from "../../ui/src/parts/days.js";

/** The periods that the web page shows usage of. */

const now = Date.parse("2026-03-01T12:00:00Z");
const usual = { from: "2026-01-31", to: "2026-03-01" };

describe("a period of an address", () => {
  test.each([
    [{}, usual],
    [{ days: "7" }, { from: "2026-02-23", to: "2026-03-01" }],
    [{ from: "2026-02-27" }, { from: "2026-02-27", to: "2026-03-01" }],
    [
      { to: "2026-01-10", days: "2" },
      { from: "2026-01-09", to: "2026-01-10" },
    ],
    [{ to: "2020-01-05" }, { from: "2020-01-01", to: "2020-01-05" }],
    // What would freeze the page, and what the service refuses.
    [{ from: "0026-01-01" }, usual],
    [{ from: "2019-12-31" }, usual],
    [{ from: "2026-02-30" }, usual],
    [{ from: "2026-02-02", to: "2026-02-01" }, usual],
    [{ from: "2020-01-01", to: "2030-01-08" }, usual],
    [{ days: "9999" }, usual],
    [{ days: "0" }, usual],
    [{ days: "many" }, usual],
  ])("%j", (said, shown) => {
    expect(daysOf({ ...usualPeriod, ...said }, now)).toEqual(shown);
  });

  test("is never drawn as more days than the service sums", () => {
    expect(daysBetween("2026-02-27", "2026-03-01")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
    expect(daysBetween("0001-01-01", "9999-12-31").length).toBe(mostDays);
    expect(daysBetween("2026-03-01", "2026-02-27")).toEqual([]);
    expect(periodProblem({ from: "2020-01-01", to: "2030-01-07" })).toBeNull();
    expect(periodProblem({ from: "2020-01-01", to: "2030-01-08" })).toBe("long");
  });
});
