import { DocumentError } from "../words/document.js";

/*
 * The structure of OLE's compound files ([MS-CFB]): a small file system of sectors that are chained by tables, and a
 * directory whose entries form a tree. Parsers follow both without looking where they have been.
 */

const freeSector = 0xffffffff;
const entryBytes = 128;
/** Root, storage, stream. */
const entryTypes = [5, 1, 2];

/** @throws DocumentError when chains or the directory's tree run in circles, or streams claim more than there is */
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
  // The sectors of the table of chains: 109 are named in the header, the others in sectors of their own.
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
  // Small sectors, of 64 bytes, have a table of their own.
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

/** Each number is the index of the next one, or past the end. */
function requireNoCircle(next: readonly number[]): void {
  /** The walk in which an index was seen first, from 1. */
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
    // Before it, after it, within it.
    for (const offset of [68, 72, 76]) {
      const other = entry.readUInt32LE(offset);
      if (other !== freeSector) queue.push(other);
    }
  }
}

const damaged = (cause?: unknown) =>
  new DocumentError("invalid_file", "The file is damaged: its parts do not fit together. Save and send it anew.", {
    cause,
  });
