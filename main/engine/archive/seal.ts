import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import type { ByteRange, ByteStream } from '../storage/backend.ts';
import { Blocks } from './blocks.ts';
import { headerSize } from './header.ts';

/*
 * C2SP chunked-encryption, instance Cobblestone-256 (c2sp.org/chunked-encryption): HKDF-Expand with SHA-512, AES-256-GCM,
 * chunks of 16 KiB, the last one always shorter, so that a cut is seen from the length alone.
 */
export const chunkSize = 16_384;
const tagSize = 16;
export const sealedChunkSize = chunkSize + tagSize;
export const messageSaltSize = 24;
const commitmentSize = 32;
/** Salt and commitment, before the first chunk. */
export const messagePrefixSize = messageSaltSize + commitmentSize;
/** Header, salt and commitment: all that is needed to open a chunk, and what a manifest keeps of each archive to repair it. */
export const objectHeadSize = headerSize + messagePrefixSize;
const maxChunks = 2 ** 38;
const infoPrefix = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');

export type Label = 'holdfast/v2/archive' | 'holdfast/v2/manifest' | 'holdfast/v2/partial' | 'holdfast/v2/damaged';

export interface MessageKeys {
  readonly key: KeyObject;
  readonly baseNonce: Buffer;
  readonly commitment: Buffer;
}

/** The context binds a message to its kind and to the header it stands behind. */
export function messageContext(label: Label, header: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${label}\0`, 'latin1'), header]);
}

/** HKDF-Expand-SHA-512 of the input key (32 bytes) with the message's salt (24 bytes) and context. */
export function deriveMessage(inputKey: Uint8Array, salt: Uint8Array, context: Uint8Array): MessageKeys {
  const info = Buffer.concat([infoPrefix, salt, context]);
  const first = createHmac('sha512', inputKey).update(info).update(Uint8Array.of(1)).digest();
  const second = createHmac('sha512', inputKey).update(first).update(info).update(Uint8Array.of(2)).digest();
  const okm = Buffer.concat([first, second]);
  return { key: createSecretKey(okm.subarray(0, 32)), baseNonce: okm.subarray(32, 44), commitment: okm.subarray(44, 76) };
}

/** Compared in constant time: the answer must not tell how near a guess was. */
export function commitmentHolds(keys: MessageKeys, objectHead: Uint8Array): boolean {
  const stored = objectHead.subarray(headerSize + messageSaltSize, objectHeadSize);
  return stored.length === commitmentSize && timingSafeEqual(keys.commitment, stored);
}

/** Whether an object with these first 148 bytes was sealed with this very vault key. */
export function sealedWith(vaultKey: Uint8Array, objectHead: Uint8Array, label: Label): boolean {
  const header = objectHead.subarray(0, headerSize);
  const salt = objectHead.subarray(headerSize, headerSize + messageSaltSize);
  return commitmentHolds(deriveMessage(vaultKey, salt, messageContext(label, header)), objectHead);
}

function chunkNonce(baseNonce: Buffer, index: number): Buffer {
  // One nonce must never serve two chunks: past the counter's end there is no way on (C2SP: MUST abort).
  if (!Number.isSafeInteger(index) || index < 0 || index >= maxChunks) {
    throw new Fault('unsupported', 'the message is longer than 2^38 chunks', { operation: 'seal', context: { chunk: index } });
  }
  const nonce = Buffer.from(baseNonce);
  const high = Math.floor(index / 2 ** 32);
  nonce[7] = (nonce[7] ?? 0) ^ high;
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ (index % 2 ** 32)) >>> 0, 8);
  return nonce;
}

type Emit = (bytes: Uint8Array) => void;

/** Seals plain bytes chunk by chunk. One sealer makes one message; its keys must never seal another. */
export class Sealer {
  readonly #keys: MessageKeys;
  readonly #blocks = new Blocks(chunkSize);
  #index: number;

  constructor(keys: MessageKeys, firstChunk = 0) {
    this.#keys = keys;
    this.#index = firstChunk;
  }

  update(plain: Uint8Array, emit: Emit): void {
    this.#blocks.add(plain, (chunk) => this.#seal(chunk, emit));
  }

  /** The last chunk, always shorter than the others and possibly empty. */
  end(emit: Emit): void {
    this.#seal(this.#blocks.rest, emit);
  }

  #seal(plain: Uint8Array, emit: Emit): void {
    const nonce = chunkNonce(this.#keys.baseNonce, this.#index);
    // Counted before anything comes out: whatever happens then, no second chunk can have this nonce.
    this.#index += 1;
    const cipher = createCipheriv('aes-256-gcm', this.#keys.key, nonce, { authTagLength: tagSize });
    emit(cipher.update(plain));
    cipher.final();
    emit(cipher.getAuthTag());
  }
}

/** One sealed chunk, of 16 to 16,400 bytes. Faults: truncated (no room for a tag), corrupt. */
export function openChunk(keys: MessageKeys, index: number, sealed: Uint8Array): Buffer {
  const body = sealed.length - tagSize;
  const context = { chunk: index, offset: objectHeadSize + index * sealedChunkSize };
  if (body < 0) throw new Fault('truncated', `ends before its last chunk (chunk ${index})`, { operation: 'unseal', context });
  const decipher = createDecipheriv('aes-256-gcm', keys.key, chunkNonce(keys.baseNonce, index), { authTagLength: tagSize });
  decipher.setAuthTag(sealed.subarray(body));
  const plain = decipher.update(sealed.subarray(0, body));
  try {
    decipher.final();
  } catch (cause) {
    throw new Fault('corrupt', `chunk ${index} has been altered`, { operation: 'unseal', context, cause });
  }
  return plain;
}

/** Opens a message chunk by chunk, from its first chunk or from a later one. Nothing is emitted before its tag held. */
export class Unsealer {
  readonly #keys: MessageKeys;
  readonly #blocks = new Blocks(sealedChunkSize);
  #index: number;

  constructor(keys: MessageKeys, firstChunk = 0) {
    this.#keys = keys;
    this.#index = firstChunk;
  }

  update(sealed: Uint8Array, emit: Emit): void {
    this.#blocks.add(sealed, (chunk) => this.#open(chunk, emit));
  }

  /** The message ends here: what is left must be the short last chunk. */
  end(emit: Emit): void {
    this.#open(this.#blocks.rest, emit);
  }

  /** A range that ends before the message does: it must have been whole chunks. */
  endOfRange(): void {
    if (this.#blocks.rest.length === 0) return;
    throw new Fault('truncated', `the stored bytes end inside chunk ${this.#index}`, {
      operation: 'unseal',
      context: { chunk: this.#index },
    });
  }

  #open(sealed: Uint8Array, emit: Emit): void {
    const plain = openChunk(this.#keys, this.#index, sealed);
    this.#index += 1;
    emit(plain);
  }
}

/** Size of a whole stored object (header, salt, commitment, chunks) for so many plain bytes. */
export function sealedSize(plainSize: number): number {
  return objectHeadSize + plainSize + (Math.floor(plainSize / chunkSize) + 1) * tagSize;
}

/** Plain bytes inside a stored object of this size. Fault truncated when no message has that size. */
export function plainSize(storedSize: number): number {
  const body = storedSize - objectHeadSize;
  const last = body % sealedChunkSize;
  if (body < tagSize || last < tagSize) {
    throw new Fault('truncated', `no sealed object is ${storedSize} bytes long`, { operation: 'unseal', context: { size: storedSize } });
  }
  return Math.floor(body / sealedChunkSize) * chunkSize + last - tagSize;
}

/** Where the chunks lie that hold these plain bytes, in a stored object of this size, and what to drop at the front. */
export function sealedRange(
  plain: ByteRange,
  storedSize: number,
): { readonly range: ByteRange; readonly firstChunk: number; readonly skip: number; readonly reachesEnd: boolean } {
  const firstChunk = Math.floor(plain.offset / chunkSize);
  const offset = objectHeadSize + firstChunk * sealedChunkSize;
  const lastChunk = Math.floor((plain.offset + Math.max(plain.length, 1) - 1) / chunkSize);
  const end = Math.min(objectHeadSize + (lastChunk + 1) * sealedChunkSize, storedSize);
  return {
    range: { offset, length: end - offset },
    firstChunk,
    skip: plain.offset - firstChunk * chunkSize,
    reachesEnd: end === storedSize,
  };
}

/** Salt, commitment and chunks of one message. `salt` must be fresh for every message. */
export async function* seal(source: ByteStream, inputKey: Uint8Array, salt: Uint8Array, context: Uint8Array): AsyncGenerator<Uint8Array> {
  const keys = deriveMessage(inputKey, salt, context);
  yield Buffer.concat([salt, keys.commitment]);
  const sealer = new Sealer(keys);
  let out: Uint8Array[] = [];
  const emit: Emit = (bytes) => out.push(bytes);
  for await (const plain of source) {
    sealer.update(plain, emit);
    if (out.length > 0) yield Buffer.concat(out);
    out = [];
  }
  sealer.end(emit);
  yield Buffer.concat(out);
}

/** The plain bytes of a message whose keys are known; `source` starts at chunk 0. Each piece is released only once its tag held. */
export async function* unseal(source: ByteStream, keys: MessageKeys): AsyncGenerator<Uint8Array> {
  const unsealer = new Unsealer(keys);
  let out: Uint8Array[] = [];
  const emit: Emit = (bytes) => out.push(bytes);
  for await (const sealed of source) {
    let failure: unknown;
    try {
      unsealer.update(sealed, emit);
    } catch (error) {
      failure = error;
    }
    if (out.length > 0) yield Buffer.concat(out);
    out = [];
    if (failure !== undefined) throw failure;
  }
  unsealer.end(emit);
  yield Buffer.concat(out);
}
