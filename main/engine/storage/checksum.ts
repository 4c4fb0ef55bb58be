import { createHash } from 'node:crypto';
import type { ChecksumAlgorithm, KnownChecksums, ObjectInfo } from './backend.ts';

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
      return dropboxContentHash();
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

const dropboxBlock = 4 * 1024 * 1024;

/** Dropbox: "Content hash": the SHA-256 of the SHA-256 values of each 4 MiB. */
function dropboxContentHash(): RunningChecksum {
  const whole = createHash('sha256');
  let block = createHash('sha256');
  let filled = 0;
  function endBlock(): void {
    whole.update(block.digest());
    block = createHash('sha256');
    filled = 0;
  }
  return {
    update(bytes) {
      for (let at = 0; at < bytes.byteLength;) {
        const taken = Math.min(dropboxBlock - filled, bytes.byteLength - at);
        block.update(bytes.subarray(at, at + taken));
        filled += taken;
        at += taken;
        if (filled === dropboxBlock) endBlock();
      }
    },
    hex() {
      if (filled > 0) endBlock();
      return whole.digest('hex');
    },
  };
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
