import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Fault } from '../../main/contract/faults.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { classicPasswords, unsealClassic } from '../../main/engine/archive/classic.ts';
import { Keyring } from '../../main/engine/archive/keyring.ts';
import type { Label } from '../../main/engine/archive/seal.ts';
import { parseRecoveryKey, parseVault } from '../../main/engine/archive/vault.ts';
import { openSealed } from '../../main/engine/snapshots/sealed-object.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';

const folder = new URL('../vectors/data/', import.meta.url);

/** One file of tests/vectors/data; tests/vectors/generate.py says what the fields mean. */
export interface Vector {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly blob: Buffer;
}

/** What came of reading an object: `success` or a fault's code, and what was let out before. */
export interface Outcome {
  readonly code: string;
  readonly released: number;
  readonly payload: string;
}

export function readVectors(): readonly Vector[] {
  return readdirSync(folder).map((name) => {
    const file = readFileSync(new URL(name, folder));
    const end = file.indexOf('\n\n');
    const lines = file.subarray(0, end).toString('utf8').split('\n');
    const fields = new Map(lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const));
    return { name, fields, blob: file.subarray(end + 2) };
  });
}

export function field(vector: Vector, name: string): string {
  const value = vector.fields.get(name);
  if (value === undefined) throw new Error(`${vector.name} has no field ${name}`);
  return value;
}

export function stated(vector: Vector): Outcome {
  return { code: field(vector, 'expect'), released: Number(field(vector, 'released')), payload: field(vector, 'payload') };
}

/** The password of a vector that has one as text. */
export function passwordOf(vector: Vector): string {
  return String(JSON.parse(field(vector, 'password')));
}

/** Reads an object with our reader, out of a backend that gives pieces of this size. `password` stands in for the vector's own. */
export async function readObject(vector: Vector, pieceSize: number, password?: string): Promise<Outcome> {
  const hash = createHash('sha256');
  let released = 0;
  try {
    for await (const piece of await plainOf(vector, pieceSize, password)) {
      hash.update(piece);
      released += piece.length;
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { code: error.code, released, payload: hash.digest('hex') };
  }
  return { code: 'success', released, payload: hash.digest('hex') };
}

async function plainOf(vector: Vector, pieceSize: number, password: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  const backend = memoryBackend({ pieceSize });
  await uploadBytes(backend, 'server/object', vector.blob);
  const label = field(vector, 'label');
  const typed = password ?? (vector.fields.has('password') ? passwordOf(vector) : undefined);
  if (label === 'classic') return classicPlain(() => backend.read('server/object'), typed ?? '');

  const vaultText = vector.fields.get('vault');
  const records = vaultText === undefined ? [] : parseVault(Buffer.from(vaultText, 'base64'));
  const vaultKey = vaultKeyOf(vector);
  const keyring = vaultKey === null ? new Keyring({ password: typed ?? '', records }) : new Keyring({ vaultKeys: [vaultKey], records });
  const unused = Buffer.alloc(0);
  const vault = { keyring, header: unused, vaultKey: unused, records };
  return (await openSealed(backend, vault, label as Label, 'server/object', {})).plain;
}

function vaultKeyOf(vector: Vector): Buffer | null {
  const text = vector.fields.get('recovery-key');
  if (text !== undefined) return parseRecoveryKey(text);
  const hex = vector.fields.get('vault-key');
  return hex === undefined ? null : Buffer.from(hex, 'hex');
}

/** As every user of a classic file must: nothing is believed before the tag at the end held. */
async function classicPlain(read: () => Promise<AsyncIterable<Uint8Array>>, password: string): Promise<AsyncIterable<Uint8Array>> {
  let failure: unknown;
  for (const candidate of classicPasswords(password)) {
    try {
      return inPieces(await collect(unsealClassic(await read(), candidate)), 64 * 1024);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** All of a stream; the pieces are copied, since some streams use their buffer again. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** The bytes in pieces, as a stream gives them. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}
