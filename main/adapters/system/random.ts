import { randomBytes } from 'node:crypto';
import type { Random } from '../../engine/ports.ts';

/** The operating system's random bytes. */
export const systemRandom: Random = {
  // A copy of its own memory: small Buffers share one pool, and a key must not lie beside other people's bytes.
  bytes: (length) => Uint8Array.from(randomBytes(length)),
};
