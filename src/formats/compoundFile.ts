import { DocumentError } from "../words/document.js";

/*
 * An OLE compound file ([MS-CFB]) is a small file system: sectors chained by tables, and a directory whose entries form
 * a tree. Parsers follow both without noticing a circle, so files are checked before they are parsed.
 */

const freeSector = 0xffffffff;
const entryBytes = 128;
/** The types of root, storage and stream entries. */
const entryTypes = [5, 1, 2];

/**
 * @throws DocumentError when a chain or the directory's tree has a circle, or streams claim more bytes than the file
 * has
 */
export function checkCompoundFile(bytes: Buffer): void {
  try {
    check(bytes);
  } catch (cause) {
    if (cause instanceof DocumentError) throw cause;
    throw damaged(cause);
  }
}

function check(bytes: Buffer): void {
  const sectorBytes = bytes[30] === 12 ? 4_096 : 512;
  const numbersInSector = sectorBytes / 4;
  const sectorCount = Math.ceil(bytes.length / sectorBytes);
  const numbersOf = (sector: number): number[] => {
    const start = (sector + 1) * sectorBytes;
    return Array.from({ length: numbersInSector }, (_, i) =>
      start + 4 * i + 4 <= bytes.length ? bytes.readUInt32LE(start + 4 * i) : freeSector,
    );
  };
  // The sectors that hold the table of chains: the header names 109 of them, further sectors name the rest.
  const tableLength = Math.ceil(sectorCount / numbersInSector);
  const table = Array.from({ length: 109 }, (_, i) => bytes.readUInt32LE(76 + 4 * i));
  for (let more = bytes.readUInt32LE(68); more < sectorCount && table.length < tableLength;) {
    const numbers = numbersOf(more);
    more = numbers.pop() ?? freeSector;
    table.push(...numbers);
  }
  const next = table
    .filter((sector) => sector < sectorCount)
    .slice(0, tableLength)
    .flatMap(numbersOf);
  requireNoCircle(next);
  const chainFrom = (first: number): number[] => {
    const chain: number[] = [];
    for (let sector = first; sector < next.length; sector = next[sector] ?? freeSector) chain.push(sector);
    return chain;
  };
  // Small sectors (64 bytes) have another table.
  const smallTable = chainFrom(bytes.readUInt32LE(60));
  if (smallTable.length * 16 > sectorCount + 16) throw damaged();
  requireNoCircle(smallTable.flatMap(numbersOf));
  const entries = chainFrom(bytes.readUInt32LE(48)).flatMap((sector) =>
    Array.from({ length: sectorBytes / entryBytes }, (_, i) => {
      const start = (sector + 1) * sectorBytes + i * entryBytes;
      return bytes.subarray(start, start + entryBytes);
    }),
  );
  checkDirectory(entries, bytes.length);
}

/** @param next for each sector, the index of the next one; an index past the end ends the chain */
function requireNoCircle(next: readonly number[]): void {
  /** The number of the walk (from 1) that saw an index first. */
  const seen = new Int32Array(next.length);
  for (const start of next.keys()) {
    for (let at = start; at < next.length; at = next[at] ?? freeSector) {
      if (seen[at] === start + 1) throw damaged();
      if (seen[at] !== 0) break;
      seen[at] = start + 1;
    }
  }
}

function checkDirectory(entries: readonly Buffer[], fileBytes: number): void {
  const used = entries.filter((entry) => entry.length === entryBytes && entryTypes.includes(entry[66] ?? 0));
  const claimed = used.reduce((sum, entry) => sum + (entry[66] === 2 ? entry.readUInt32LE(120) : 0), 0);
  if (claimed > fileBytes) throw damaged();
  const seen = new Set<number>();
  const queue = [0];
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    const entry = entries[index];
    if (entry?.length !== entryBytes) continue;
    if (seen.has(index)) throw damaged();
    seen.add(index);
    // The left sibling, the right sibling and the first child.
    for (const offset of [68, 72, 76]) {
      const other = entry.readUInt32LE(offset);
      if (other !== freeSector) queue.push(other);
    }
  }
}

const damaged = (cause?: unknown) =>
  new DocumentError(
    "invalid_file",
    "The file is damaged: its parts do not fit together. Save it again and resend it.",
    {
      cause,
    },
  );
