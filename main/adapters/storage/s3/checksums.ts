import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Fault } from '../../../contract/faults.ts';

/** What a reply tells of the bytes that the server has: base64, behind a `-` how many parts it was made of. */
export interface ToldSums {
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}

/** CRC-32 as S3 writes it: base64 of the big-endian number. */
export function crc32Text(bytes: Uint8Array): string {
  return crcBytes(bytes).toString('base64');
}

/** Of an object made of parts (AWS: "Checking object integrity", composite): the CRC-32 of the parts' CRC-32s, and how many there are. */
export function compositeCrc32(parts: readonly string[]): string {
  const sums = Buffer.concat(parts.map((sum) => Buffer.from(sum, 'base64')));
  return `${crcBytes(sums).toString('base64')}-${parts.length}`;
}

/** Null where `told` holds nothing that contradicts `bytes`, else what it says and what it should. */
export function wrongSum(told: ToldSums, bytes: Uint8Array): WrongSum | null {
  const { ChecksumCRC32: crc, ChecksumSHA256: sha } = told;
  // Computed only for comparing: most servers tell none.
  const ours = crc === undefined ? undefined : crc32Text(bytes);
  if (crc !== ours) return { algorithm: 'CRC-32', theirs: crc ?? '', ours: ours ?? '' };
  const hash = sha === undefined ? undefined : createHash('sha256').update(bytes).digest('base64');
  return sha === hash ? null : { algorithm: 'SHA-256', theirs: sha ?? '', ours: hash ?? '' };
}

/**
 * The same for an object of parts, of which `parts` are the CRC-32s that held when they were sent. A sum of the whole, which some
 * servers tell instead, is compared where the whole is one part.
 */
export function wrongComposite(told: ToldSums, parts: readonly (string | undefined)[]): WrongSum | null {
  const theirs = told.ChecksumCRC32;
  const known = parts.filter((sum) => sum !== undefined);
  if (theirs === undefined || known.length === 0 || known.length !== parts.length) return null;
  const isOfParts = theirs.includes('-');
  if (!isOfParts && known.length > 1) return null;
  const ours = isOfParts ? compositeCrc32(known) : (known[0] ?? '');
  return theirs === ours ? null : { algorithm: 'CRC-32', theirs, ours };
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

function crcBytes(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}
