import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Fault } from '../../../contract/faults.ts';
import { combineCrc32 } from './crc32-combine.ts';

/** What a reply tells of the bytes that the server has: base64, behind a `-` how many parts it was made of. */
export interface ToldSums {
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
  /** `COMPOSITE` or `FULL_OBJECT`; older servers do not say. */
  readonly ChecksumType?: string | undefined;
}

/** What we know of a part that was sent. */
export interface PartSums {
  readonly size: number;
  readonly crc32: number;
  /** Base64; only where the server told it and it held. */
  readonly sha256?: string | undefined;
}

/** CRC-32 as S3 writes it: base64 of the big-endian number. */
export function crc32Text(bytes: Uint8Array): string {
  return crcText(crc32(bytes));
}

/** Null where `told` holds nothing that contradicts `bytes`, whose CRC-32 may be known, else what it says and what it should. */
export function wrongSum(told: ToldSums, bytes: Uint8Array, known?: number): WrongSum | null {
  const { ChecksumCRC32: crc, ChecksumSHA256: sha } = told;
  // Computed only for comparing: most servers tell none.
  const ours = crc === undefined ? undefined : crcText(known ?? crc32(bytes));
  if (crc !== ours) return { algorithm: 'CRC-32', theirs: crc ?? '', ours: ours ?? '' };
  const hash = sha === undefined ? undefined : sha256Text(bytes);
  return sha === hash ? null : { algorithm: 'SHA-256', theirs: sha ?? '', ours: hash ?? '' };
}

/** The same for an object of `parts`, whether the sum is one of the whole or one of the parts' sums (AWS: "Checking object integrity"). */
export function wrongWhole(told: ToldSums, parts: readonly PartSums[]): WrongSum | null {
  const { ChecksumCRC32: crc, ChecksumSHA256: sha, ChecksumType: type } = told;
  const whole = crcText(parts.reduce((sum, part) => combineCrc32(sum, part.crc32, part.size), 0));
  const sums = parts.map((part) => crcBytes(part.crc32));
  const wrong = crc === undefined ? null : differs('CRC-32', crc, type, whole, crc32Text(Buffer.concat(sums)), parts.length);
  if (wrong !== null || sha === undefined) return wrong;
  const hashes = parts.flatMap(({ sha256 }) => (sha256 === undefined ? [] : [sha256]));
  if (hashes.length < parts.length) return null;
  const ofHashes = sha256Text(Buffer.concat(hashes.map((hash) => Buffer.from(hash, 'base64'))));
  return differs('SHA-256', sha, type, hashes.length === 1 ? hashes[0] : undefined, ofHashes, parts.length);
}

/** `whole`: undefined where nobody has it, so that nothing can be said of one. */
function differs(
  algorithm: string,
  theirs: string,
  type: string | undefined,
  whole: string | undefined,
  ofSums: string,
  count: number,
): WrongSum | null {
  if (theirs.includes('-')) return theirs === `${ofSums}-${count}` ? null : { algorithm, theirs, ours: `${ofSums}-${count}` };
  if (type !== 'FULL_OBJECT' && theirs === ofSums) return null;
  if (type === 'COMPOSITE') return { algorithm, theirs, ours: ofSums };
  return whole === undefined || theirs === whole ? null : { algorithm, theirs, ours: whole };
}

export interface WrongSum {
  readonly algorithm: string;
  readonly theirs: string;
  readonly ours: string;
}

/** For a whole object: it stands there with other bytes. */
export function corruptFault(key: string, wrong: WrongSum): Fault {
  const { algorithm, theirs, ours } = wrong;
  return new Fault('corrupt', `${key} did not arrive as it was sent: the server's ${algorithm} is ${theirs}, ours ${ours}`, {
    operation: 'complete',
    context: { key, ...wrong },
  });
}

/** For a part, which nobody sees yet: it is worth sending once more. */
export function changedPartFault(key: string, part: number, wrong: WrongSum): Fault {
  return new Fault('unavailable', `part ${part} of ${key} arrived with other bytes than were sent`, {
    operation: 'writePart',
    context: { key, part, ...wrong },
  });
}

function crcText(crc: number): string {
  return crcBytes(crc).toString('base64');
}

function crcBytes(crc: number): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc);
  return sum;
}

function sha256Text(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
