import { burn, type Entry } from "@kenjiuno/msgreader/lib/Burner.js";
import { TypeEnum } from "@kenjiuno/msgreader/lib/Reader.js";

/** An email of MIME parts; each part includes its header. */
export function makeMail(head: readonly string[], parts: readonly string[], type = "mixed"): string {
  const boundary = `b${parts.join("").length}-${parts.length}`;
  return [
    ...head,
    `Content-Type: multipart/${type}; boundary="${boundary}"`,
    "",
    ...parts.map((part) => `--${boundary}\r\n${part}`),
    `--${boundary}--`,
    "",
  ].join("\r\n");
}

/** A folder of a compound file: streams and folders by name. */
export interface Folder {
  [name: string]: Buffer | Folder;
}

/** An OLE compound file, such as an Outlook message. */
export function makeCompoundFile(root: Folder): Buffer {
  const entries: Entry[] = [{ name: "Root Entry", type: TypeEnum.ROOT, length: 0, children: [] }];
  const add = (folder: Folder, parent: Entry) => {
    for (const [name, content] of Object.entries(folder)) {
      parent.children?.push(entries.length);
      if (Buffer.isBuffer(content)) {
        entries.push({
          name,
          type: TypeEnum.DOCUMENT,
          length: content.length,
          binaryProvider: () => new Uint8Array(content),
        });
      } else {
        const entry: Entry = { name, type: TypeEnum.DIRECTORY, length: 0, children: [] };
        entries.push(entry);
        add(content, entry);
      }
    }
  };
  const [first] = entries;
  if (first !== undefined) add(root, first);
  return Buffer.from(burn(entries));
}

const unicode = (text: string) => Buffer.from(text, "utf16le");

/** Text properties of an email, attachment or recipient by number, such as "0037" for the subject. */
export const properties = (texts: Readonly<Record<string, string>>): Folder =>
  Object.fromEntries(Object.entries(texts).map(([tag, text]) => [`__substg1.0_${tag}001F`, unicode(text)]));

/** The stream of numeric properties by tag, such as 0x3ffd0003 for the code page. @param head 32 bytes for an email */
export function numbers(values: Readonly<Record<number, number>>, head = 32): Folder {
  const rows = Object.entries(values).map(([tag, value]) => {
    const row = Buffer.alloc(16);
    row.writeUInt32LE(Number(tag), 0);
    row.writeUInt32LE(value, 8);
    return row;
  });
  return { "__properties_version1.0": Buffer.concat([Buffer.alloc(head), ...rows]) };
}
