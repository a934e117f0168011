import { crc32, deflateRawSync } from "node:zlib";

/** An entry of a zip, with false claims for its headers. */
export interface ZipEntry {
  name: string;
  data: string | Buffer;
  /** Uncompressed size according to the central directory. */
  claimedSize?: number;
  /** Sizes according to the header beside the entry, which no reader should trust. */
  claimedBeside?: number;
  isStored?: boolean;
  isEncrypted?: boolean;
}

/** Makes a zip of contents by name, or of entries. */
export function makeZip(content: Readonly<Record<string, string | Buffer>> | readonly ZipEntry[]): Buffer {
  const entries: readonly ZipEntry[] = isList(content)
    ? content
    : Object.entries(content).map(([name, data]) => ({ name, data }));
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const data = Buffer.from(entry.data as string);
    const packed = entry.isStored === true ? data : deflateRawSync(data);
    const name = Buffer.from(entry.name);
    const headerOf = (unpackedSize: number, packedSize: number) => {
      const header = Buffer.alloc(26);
      header.writeUInt16LE(20, 0);
      header.writeUInt16LE(0x0800 | (entry.isEncrypted === true ? 1 : 0), 2);
      header.writeUInt16LE(entry.isStored === true ? 0 : 8, 4);
      header.writeUInt32LE(crc32(data), 10);
      header.writeUInt32LE(packedSize, 14);
      header.writeUInt32LE(unpackedSize, 18);
      header.writeUInt16LE(name.length, 22);
      return header;
    };
    const beside = entry.claimedBeside ?? entry.claimedSize ?? data.length;
    parts.push(Buffer.from("PK\x03\x04"), headerOf(beside, entry.claimedBeside ?? packed.length), name, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const header = headerOf(entry.claimedSize ?? data.length, packed.length);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), header, tail, name]));
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function isList(content: object): content is readonly ZipEntry[] {
  return Array.isArray(content);
}
