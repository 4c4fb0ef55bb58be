import { createHash } from 'node:crypto';
import type { ChecksumAlgorithm, KnownChecksums, ObjectInfo } from './backend.ts';
import { ContentHash } from './content-hash.ts';

export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** Lower-case hex; called once, at the end. */
  hex(): string;
}

/** A checksum of bytes as they go by, or null for an algorithm that is not computed here. */
export function runningChecksum(algorithm: ChecksumAlgorithm | undefined): RunningChecksum | null {
  switch (algorithm) {
    case 'sha256':
    case 'sha1':
    case 'md5': {
      const hash = createHash(algorithm);
      return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
    }
    case 'crc32':
      return crc32();
    case 'dropbox':
      return new ContentHash();
    default:
      return null;
  }
}

/** Null where the provider tells no checksum of `info` that contradicts `known`, else what it says and what it should. */
export function differing(
  { checksum }: ObjectInfo,
  known: KnownChecksums,
): { readonly algorithm: ChecksumAlgorithm; readonly theirs: string; readonly ours: string } | null {
  if (checksum === undefined) return null;
  const ours = known[checksum.algorithm];
  return ours === undefined || ours === checksum.hex ? null : { algorithm: checksum.algorithm, theirs: checksum.hex, ours };
}

/** CRC-32 of ISO-HDLC (the one of ZIP and of S3's CRC32), hex of the big-endian number. */
function crc32(): RunningChecksum {
  let state = 0xffffffff;
  return {
    update(bytes) {
      for (const byte of bytes) state = (state >>> 8) ^ (crcTable[(state ^ byte) & 0xff] ?? 0);
    },
    hex: () => ((state ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0'),
  };
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
