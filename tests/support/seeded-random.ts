import { createCipheriv } from 'node:crypto';
import type { Random } from '../../main/engine/ports.ts';

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that are the same for the same seed: for tests, where a failure must come again. */
export function seededRandom(seed: number): Random {
  const next = seededNumbers(seed);
  return { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

/** So many bytes that nothing compresses, quickly made: a key stream. */
export function noise(seed: number, size: number): Buffer {
  const key = Buffer.alloc(32);
  key.writeDoubleLE(seed);
  return createCipheriv('aes-256-gcm', key, Buffer.alloc(12), { authTagLength: 16 }).update(Buffer.alloc(size));
}
