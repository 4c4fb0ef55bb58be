import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { DecipherGCM } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import type { Random } from '../ports.ts';
import type { ByteStream } from '../storage/backend.ts';
import { derivePassword } from './header.ts';

/*
 * Format version 1: salt(16) · nonce(12) · AES-256-GCM(zstd(zip)) · tag(16), key by PBKDF2-HMAC-SHA-256 with 100,000 iterations.
 * The single tag comes last, so nothing that is read may be used before the whole was read.
 */
export const classicIterations = 100_000;
export const classicEnding = '.zip.zst.enc';
const saltSize = 16;
const nonceSize = 12;
const tagSize = 16;
export const classicHeadSize = saltSize + nonceSize;
/** A stored file of fewer bytes has no room for its tag. */
export const classicMinSize = classicHeadSize + tagSize;
/** GCM ends at 64 GiB of one message; half of it is the limit on writing. */
export const classicMaxSize = 32 * 2 ** 30;

/** What a worker needs to seal one classic file. */
export interface ClassicKey {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  /** Plain bytes that one file takes, where it is less than the format's own limit. */
  readonly maxSize?: number;
}

/** A fresh salt and nonce, and the key for them. */
export async function newClassicKey(password: string, random: Random): Promise<ClassicKey> {
  const salt = random.bytes(saltSize);
  return { key: await derivePassword(password, salt, classicIterations), salt, nonce: random.bytes(nonceSize) };
}

/** Seals a stream: emit head(), then update() of everything, then end(). */
export class ClassicSealer {
  readonly #cipher;
  readonly #head: Buffer;
  readonly #maxSize: number;
  #size = 0;

  constructor(key: ClassicKey) {
    this.#head = Buffer.concat([key.salt, key.nonce]);
    this.#maxSize = Math.min(key.maxSize ?? classicMaxSize, classicMaxSize);
    this.#cipher = createCipheriv('aes-256-gcm', key.key, key.nonce, { authTagLength: tagSize });
  }

  head(): Buffer {
    return this.#head;
  }

  /** Fault unsupported once the whole would pass 32 GiB. */
  update(plain: Uint8Array): Buffer {
    this.#size += plain.length;
    if (this.#size > this.#maxSize) {
      throw new Fault('unsupported', 'the classic format ends at 32 GiB; use the archive format', { operation: 'seal classic' });
    }
    return this.#cipher.update(plain);
  }

  end(): Buffer {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

/** The passwords to try: as typed first, then its NFC form where that differs. */
export function classicPasswords(password: string): readonly string[] {
  const normal = password.normalize('NFC');
  return normal === password ? [password] : [password, normal];
}

/**
 * Decrypts the whole of a stored classic file. What it yields is NOT trustworthy before the stream has ended without a fault:
 * the caller keeps it where nothing reads it until then. Fault wrong-password covers damage too: one tag cannot tell them apart.
 */
export async function* unsealClassic(source: ByteStream, password: string): AsyncGenerator<Uint8Array> {
  let head: Buffer = Buffer.alloc(0);
  let held: Buffer = Buffer.alloc(0);
  let decipher: DecipherGCM | null = null;
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    let rest: Uint8Array = piece;
    if (decipher === null) {
      head = Buffer.concat([head, piece]);
      if (head.length < classicHeadSize) continue;
      const key = await derivePassword(password, head.subarray(0, saltSize), classicIterations);
      decipher = createDecipheriv('aes-256-gcm', key, head.subarray(saltSize, classicHeadSize), { authTagLength: tagSize });
      rest = head.subarray(classicHeadSize);
    }
    // The last 16 bytes seen may be the tag: they are held back until more comes.
    const joined: Buffer = Buffer.concat([held, rest]);
    const usable = Math.max(0, joined.length - tagSize);
    held = joined.subarray(usable);
    if (usable > 0) yield decipher.update(joined.subarray(0, usable));
  }
  if (decipher === null || held.length < tagSize) {
    throw new Fault('truncated', `a classic file has at least ${classicMinSize} bytes, this one ${size}`, { operation: 'unseal classic' });
  }
  decipher.setAuthTag(held);
  try {
    decipher.final();
  } catch (cause) {
    throw new Fault('wrong-password', 'wrong password, or the file is damaged (its single checksum cannot tell which)', {
      operation: 'unseal classic',
      cause,
    });
  }
}
