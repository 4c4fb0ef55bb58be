import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Raise it when the content changes, so that cached trees are made anew. */
const edition = 1;

interface Plan {
  readonly smallFiles: number;
  /** Large files of each of the three kinds. */
  readonly largeFiles: number;
  readonly largeBytes: number;
}

const plans = {
  /** 1.03 GB in 50,024 files. */
  full: { smallFiles: 50_000, largeFiles: 8, largeBytes: 26_000_000 },
  /** A tenth of it, to see that the bench works. */
  quick: { smallFiles: 5_000, largeFiles: 1, largeBytes: 20_000_000 },
} as const satisfies Record<string, Plan>;

/** A made-up server: the same bytes on every machine, made once and kept under `cache`. Answers the folder. */
export function generatedTree(cache: string, size: keyof typeof plans): string {
  return once(join(cache, `tree-${size}-${String(edition)}`), (folder) => {
    writeTree(folder, plans[size]);
  });
}

/** Files of 1 MB that cannot be compressed. */
export function megabyteFiles(cache: string, files: number): string {
  return once(join(cache, `megabytes-${String(files)}-${String(edition)}`), (folder) => {
    for (let index = 0; index < files; index += 1)
      write(join(folder, `d${String(index % 40)}`, `f${String(index)}`), noise(`mb${String(index)}`, 1_000_000));
  });
}

/** A million files of up to a kilobyte in ten thousand folders. */
export function writeMillionFiles(folder: string): void {
  const chance = numbers('million');
  const text = textPool(chance);
  for (let index = 0; index < 10_000; index += 1) {
    const inside = join(folder, `part-${String(index % 100)}`, `folder-${String(index)}`);
    mkdirSync(inside, { recursive: true });
    for (let file = 0; file < 100; file += 1) writeFileSync(join(inside, `file-${String(file)}.txt`), slice(text, chance() * 1024, chance));
  }
}

function once(folder: string, make: (folder: string) => void): string {
  const done = `${folder}.done`;
  if (existsSync(done)) return folder;
  rmSync(folder, { recursive: true, force: true });
  make(folder);
  writeFileSync(done, '');
  return folder;
}

function writeTree(folder: string, plan: Plan): void {
  const chance = numbers('tree');
  const text = textPool(chance);
  const records = recordPool();
  const kinds = [
    { name: 'text', ending: 'txt', cut: (length: number): Buffer => slice(text, length, chance) },
    { name: 'binary', ending: 'dat', cut: (length: number): Buffer => slice(records, length, chance) },
    { name: 'noise', ending: 'jar', cut: (length: number, seed: string): Buffer => noise(seed, length) },
  ] as const;
  for (let index = 0; index < plan.smallFiles; index += 1) {
    const pick = chance();
    const kind = pick < 0.6 ? kinds[0] : pick < 0.9 ? kinds[1] : kinds[2];
    const path = join(folder, `part-${String(index % 50)}`, `${kind.name}-${String(index % 2500)}`, `file-${String(index)}.${kind.ending}`);
    write(path, kind.cut(smallSize(chance), `small${String(index)}`));
  }
  for (const kind of kinds) {
    for (let index = 0; index < plan.largeFiles; index += 1) {
      const pieces: Buffer[] = [];
      const piece = 250_000;
      for (let at = 0; at < plan.largeBytes; at += piece) pieces.push(kind.cut(piece, `large${String(index)}:${String(at)}`));
      write(join(folder, 'large', `${kind.name}-${String(index)}.${kind.ending}`), Buffer.concat(pieces));
    }
  }
}

/** Log-normal about a median of 4 KB: many tiny files, a few large ones; half of the bytes are in files above 25 KB. */
function smallSize(chance: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
  return Math.min(500_000, Math.floor(4000 * Math.exp(1.2 * normal)));
}

/** Words of an invented language, common ones often (Zipf), with lines and numbers: compresses about as well as logs and settings. */
export function textPool(chance: () => number): Buffer {
  const syllables = 'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu'.split(' ');
  const words = Array.from({ length: 5000 }, () =>
    Array.from({ length: 1 + Math.floor(chance() * 4) }, () => syllables[Math.floor(chance() * syllables.length)]).join(''),
  );
  const parts: string[] = [];
  let length = 0;
  while (length < 48_000_000) {
    const pick = chance();
    const word = pick < 0.04 ? String(Math.floor(chance() * 1e6)) : (words[Math.floor(words.length ** chance()) - 1] ?? '');
    const part = `${word}${pick > 0.92 ? '\n' : ' '}`;
    parts.push(part);
    length += part.length;
  }
  return Buffer.from(parts.join(''));
}

/** Records of 32 bytes: counters and zeros beside a few random bytes, as tables and object code are. */
function recordPool(): Buffer {
  const pool = noise('records', 48_000_000);
  for (let at = 0; at + 32 <= pool.length; at += 32) {
    pool.writeUInt32LE(at >>> 5, at);
    pool.writeUInt32LE(0x00ff_00ff, at + 4);
    pool.fill(0, at + 12, at + 24);
    pool[at + 25] = (pool[at + 25] ?? 0) & 0x0f;
  }
  return pool;
}

/** Bytes that no compressor makes smaller, the same for the same seed. */
export function noise(seed: string, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : createHash('shake256', { outputLength: length }).update(seed).digest();
}

function slice(pool: Buffer, length: number, chance: () => number): Buffer {
  const at = Math.floor(chance() * (pool.length - length));
  return pool.subarray(at, at + length);
}

/** Numbers in [0, 1) from a seed (mulberry32, public domain). */
export function numbers(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function write(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, 1_767_225_600, 1_767_225_600);
}
