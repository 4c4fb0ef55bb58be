import type { BigIntStats } from 'node:fs';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

export interface Comparison {
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly bytes: number;
  /** Sockets, pipes and devices of the source: a backup skips them. */
  readonly skipped: number;
  readonly differences: readonly string[];
}

const slash = Buffer.from('/');

/**
 * Walks two trees, sharing no code with what wrote either, and compares everything: names as bytes, types, contents, modes, times to
 * the nanosecond, targets of links, which names are one file, and owners when root. Of the two outermost folders only the content counts.
 */
export function compareTrees(source: string, copy: string): Comparison {
  const count = { files: 0, folders: 0, links: 0, bytes: 0, skipped: 0 };
  const differences: string[] = [];
  const copyOf = new Map<bigint, bigint>();
  const waiting: (readonly [Buffer, Buffer])[] = [[Buffer.from(source), Buffer.from(copy)]];

  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const [here, there] = pair;
    const [ours, theirs] = [namesIn(here), namesIn(there)];
    for (const [key, name] of theirs) if (!ours.has(key)) differences.push(`${join(there, name).toString()}: not in the source`);
    for (const name of ours.values()) {
      const [a, b] = [join(here, name), join(there, name)];
      const stat = lstatSync(a, { bigint: true });
      if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) {
        count.skipped += 1;
        continue;
      }
      const other = lstatSync(b, { bigint: true, throwIfNoEntry: false });
      const difference = other === undefined ? 'missing' : differenceOf(a, stat, b, other, copyOf);
      if (difference !== null) differences.push(`${a.toString()}: ${difference}`);
      if (stat.isFile()) {
        count.files += 1;
        count.bytes += Number(stat.size);
      } else if (stat.isSymbolicLink()) count.links += 1;
      else {
        count.folders += 1;
        if (other?.isDirectory() === true) waiting.push([a, b]);
      }
    }
  }
  return { ...count, differences };
}

function differenceOf(a: Buffer, stat: BigIntStats, b: Buffer, other: BigIntStats, copyOf: Map<bigint, bigint>): string | null {
  if ((stat.mode & 0o170000n) !== (other.mode & 0o170000n)) return 'of another type';
  if (stat.isSymbolicLink()) {
    if (!readlinkSync(a, { encoding: 'buffer' }).equals(readlinkSync(b, { encoding: 'buffer' }))) return 'points elsewhere';
  } else if (stat.mode !== other.mode) return `mode ${stat.mode.toString(8)} became ${other.mode.toString(8)}`;
  if (stat.mtimeNs !== other.mtimeNs) return `time ${String(stat.mtimeNs)} became ${String(other.mtimeNs)}`;
  if (process.getuid?.() === 0 && (stat.uid !== other.uid || stat.gid !== other.gid)) return 'of another owner';
  if (!stat.isFile()) return null;
  if (stat.size !== other.size) return `${String(stat.size)} bytes became ${String(other.size)}`;
  if (stat.nlink > 1n) {
    const known = copyOf.get(stat.ino);
    if (known !== undefined) return known === other.ino ? null : 'no longer one file with its other names';
    copyOf.set(stat.ino, other.ino);
  }
  const at = firstDifferentBlock(a, b);
  return at === null ? null : `other bytes from ${String(at)} on`;
}

const [left, right] = [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)];

/** The offset of the first block that differs; null where the contents are the same. */
function firstDifferentBlock(a: Buffer, b: Buffer): number | null {
  const [first, second] = [openSync(a, 'r'), openSync(b, 'r')];
  try {
    for (let at = 0; ;) {
      const [got, gotToo] = [fill(first, left, at), fill(second, right, at)];
      if (got !== gotToo || left.compare(right, 0, got, 0, got) !== 0) return at;
      if (got < left.length) return null;
      at += got;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}

function fill(file: number, buffer: Buffer, position: number): number {
  let got = 0;
  while (got < buffer.length) {
    const read = readSync(file, buffer, got, buffer.length - got, position + got);
    if (read === 0) break;
    got += read;
  }
  return got;
}

function namesIn(folder: Buffer): ReadonlyMap<string, Buffer> {
  return new Map(readdirSync(folder, { encoding: 'buffer' }).map((name) => [name.toString('latin1'), name]));
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, slash, name]);
}
