import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { DocumentError } from "../../src/words/document.js";
import { openZip, type Zip } from "../../src/formats/zip.js";
import { makeZip } from "./makeZip.js";
import { withFile } from "./readBytes.js";

const megabyte = 2 ** 20;

function withZip<Result>(bytes: Buffer, use: (zip: Zip) => Promise<Result>): Promise<Result> {
  return withFile(bytes, async (path) => {
    const zip = await openZip(path);
    try {
      return await use(zip);
    } finally {
      zip.close();
    }
  });
}

function opened(bytes: Buffer): Promise<string[]> {
  return withZip(bytes, (zip) => Promise.resolve([...zip.names]));
}

describe("openZip", () => {
  test("reads entries whole and in pieces, stored and deflated", async () => {
    const long = "0123456789".repeat(100_000);
    const bytes = makeZip([
      { name: "a.txt", data: "first", isStored: true },
      { name: "dir/ü.txt", data: long },
      { name: "dir/", data: "" },
    ]);
    await withZip(bytes, async (zip) => {
      expect([...zip.names]).toEqual(["a.txt", "dir/ü.txt"]);
      expect((await zip.read("a.txt")).toString()).toBe("first");
      expect((await zip.read("dir/ü.txt")).toString()).toBe(long);
      let text = "";
      let pieces = 0;
      for await (const piece of zip.stream("dir/ü.txt")) {
        text += piece.toString();
        pieces += 1;
      }
      expect(text).toBe(long);
      expect(pieces).toBeGreaterThan(1);
    });
  });

  test("continues after a partly read entry", async () => {
    const bytes = makeZip({ a: "x".repeat(megabyte), b: "second" });
    await withZip(bytes, async (zip) => {
      for await (const piece of zip.stream("a")) {
        expect(piece.length).toBeLessThan(megabyte);
        break;
      }
      expect((await zip.read("b")).toString()).toBe("second");
    });
  });

  test("names the missing part", async () => {
    await expect(withZip(makeZip({ a: "" }), (zip) => zip.read("b.xml"))).rejects.toMatchObject({
      name: "DocumentError",
      code: "invalid_file",
      message: "The document is damaged: it lacks b.xml.",
    });
  });

  test.each<[string, Buffer, string]>([
    ["is empty", Buffer.alloc(0), "The file is empty."],
    ["is not a zip", Buffer.from("Dear Sir or Madam"), "it cannot be unpacked"],
    ["is cut off", makeZip({ a: "text" }).subarray(0, -30), "it cannot be unpacked"],
    ["is an OLE file", Buffer.from("d0cf11e0a1b11ae10000", "hex"), "encrypted with a password"],
    ["has encrypted entries", makeZip([{ name: "a", data: "b", isEncrypted: true }]), "encrypted with a password"],
    ["has a path outside the archive", makeZip({ "../../a": "" }), "it cannot be unpacked"],
    ["has an absolute path", makeZip({ "/etc/a": "" }), "it cannot be unpacked"],
    ["has too many parts", makeZip(Array.from({ length: 10_001 }, (_, i) => ({ name: `${i}`, data: "" }))), "10,000"],
    ["has too large a part", makeZip([{ name: "a", data: "", claimedSize: 129 * megabyte }]), "128 MB"],
    [
      "is too large in total",
      makeZip(Array.from({ length: 4 }, (_, i) => ({ name: `${i}`, data: "", claimedSize: 100 * megabyte }))),
      "300 MB",
    ],
  ])("refuses a file that %s", async (_, bytes, message) => {
    await expect(opened(bytes)).rejects.toThrow(message);
    await expect(opened(bytes)).rejects.toBeInstanceOf(DocumentError);
    await expect(opened(bytes)).rejects.toMatchObject({ code: "invalid_file" });
  });

  test("stops if a part is longer than the directory says", async () => {
    const bytes = makeZip([{ name: "a", data: Buffer.alloc(10 * megabyte), claimedSize: 100 }]);
    await withZip(bytes, async (zip) => {
      let inflated = 0;
      const reading = (async () => {
        for await (const piece of zip.stream("a")) inflated += piece.length;
      })();
      await expect(reading).rejects.toThrow("it cannot be unpacked");
      expect(inflated).toBeLessThan(megabyte);
    });
  });

  test("counts repeated reads", async () => {
    const bytes = makeZip({ a: Buffer.alloc(100 * megabyte) });
    await withZip(bytes, async (zip) => {
      const all = async () => {
        let size = 0;
        for await (const piece of zip.stream("a")) size += piece.length;
        return size;
      };
      for (let times = 0; times < 3; times += 1) expect(await all()).toBe(100 * megabyte);
      await expect(all()).rejects.toThrow("unpacks to more than 300 MB");
    });
  });

  test("reads or refuses a zip, whatever the damage", async () => {
    const whole = makeZip({ a: "some text", "b/c": "more of it ".repeat(50) });
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const { at, to } of changes) bytes[at] = to;
        const reading = withZip(bytes, async (zip) => {
          for (const name of zip.names) await zip.read(name);
        });
        await reading.catch((error: unknown) => {
          expect(error).toBeInstanceOf(DocumentError);
        });
      }),
      { numRuns: 300 },
    );
  });
});
