import { createCipheriv, createDecipheriv, pbkdf2 } from 'node:crypto';
import { Fault, type FaultContext } from '../../contract/faults.ts';
import type { Random } from '../ports.ts';

/** docs/format.md, "Header": magic, version, kdf, flags, iterations, password salt, wrap nonce, wrapped vault key. */
export const headerSize = 92;
export const vaultKeySize = 32;
export const defaultIterations = 600_000;
const minIterations = 100_000;
const maxIterations = 10_000_000;
const magic = Buffer.from('HOLDFAST', 'latin1');
const version = 2;
const kdfPbkdf2Sha256 = 1;
const saltSize = 16;
const aadSize = 32;
const nonceSize = 12;
const tagSize = 16;

export interface Header {
  /** The 92 bytes as stored. */
  readonly bytes: Buffer;
  readonly iterations: number;
  readonly passwordSalt: Buffer;
}

/** Whether these bytes begin like a file of ours; a damaged beginning does not. */
export function hasMagic(bytes: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.equals(bytes.subarray(0, magic.length));
}

/** Of bytes that do not begin like a file of ours. */
export function noMagicFault(bytes: Uint8Array, context: FaultContext = {}): Fault {
  const options = { operation: 'read header', context };
  return bytes.length < magic.length
    ? new Fault('truncated', 'too short for a Holdfast file', options)
    : new Fault('corrupt', 'not a Holdfast file, or its beginning is damaged', options);
}

/** Reads 92 bytes. Faults: corrupt (no magic), truncated, unsupported (a version, kdf, flag or cost that this reader must not take). */
export function parseHeader(source: Uint8Array): Header {
  const bytes = Buffer.from(source.subarray(0, headerSize));
  if (!hasMagic(bytes)) throw noMagicFault(bytes);
  if (bytes.length < headerSize) throw new Fault('truncated', 'ends inside its header', { operation: 'read header' });
  const refuse = (what: string): Fault => new Fault('unsupported', what, { operation: 'read header' });
  if (bytes[8] !== version) throw refuse(`written in format version ${bytes[8]}; this program reads version ${version}`);
  if (bytes[9] !== kdfPbkdf2Sha256) throw refuse(`unknown key derivation ${bytes[9]}`);
  const flags = bytes.readUInt16BE(10);
  if (flags !== 0) throw refuse(`unknown flags ${flags}`);
  const iterations = bytes.readUInt32BE(12);
  // A hostile header must neither make guessing cheap nor keep a reader busy for hours.
  if (iterations < minIterations || iterations > maxIterations) {
    throw refuse(`asks for ${iterations} iterations; ${minIterations} to ${maxIterations} are accepted`);
  }
  return { bytes, iterations, passwordSalt: bytes.subarray(16, aadSize) };
}

/** PBKDF2-HMAC-SHA-256 over the NFC form of the password: 32 bytes. */
export function deriveKek(password: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
  return derivePassword(password.normalize('NFC'), salt, iterations);
}

/** PBKDF2-HMAC-SHA-256 over the password as it is: 32 bytes. Fault config-invalid for an empty one. */
export function derivePassword(password: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
  if (password === '') throw new Fault('config-invalid', 'the password is empty', { operation: 'derive key' });
  return new Promise((resolve, reject) => {
    pbkdf2(Buffer.from(password, 'utf8'), salt, iterations, vaultKeySize, 'sha256', (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** The vault key inside a header, or null when this key does not open it. */
export function unwrapVaultKey(header: Header, kek: Uint8Array): Buffer | null {
  const nonce = header.bytes.subarray(aadSize, aadSize + nonceSize);
  const wrapped = header.bytes.subarray(aadSize + nonceSize);
  const decipher = createDecipheriv('aes-256-gcm', kek, nonce, { authTagLength: tagSize });
  decipher.setAAD(header.bytes.subarray(0, aadSize));
  decipher.setAuthTag(wrapped.subarray(vaultKeySize));
  const key = decipher.update(wrapped.subarray(0, vaultKeySize));
  try {
    decipher.final();
  } catch {
    return null; // GCM says no more than "these do not belong together"
  }
  return key;
}

/** A new header record: the vault key under a key-encryption key that was derived with exactly this salt and cost. */
export function wrapVaultKey(
  vaultKey: Uint8Array,
  kek: { readonly key: Uint8Array; readonly salt: Uint8Array; readonly iterations: number },
  random: Random,
): Buffer {
  const header = Buffer.alloc(headerSize);
  magic.copy(header);
  header[8] = version;
  header[9] = kdfPbkdf2Sha256;
  header.writeUInt32BE(kek.iterations, 12);
  header.set(kek.salt.subarray(0, saltSize), 16);
  const nonce = random.bytes(nonceSize);
  const cipher = createCipheriv('aes-256-gcm', kek.key, nonce, { authTagLength: tagSize });
  cipher.setAAD(header.subarray(0, aadSize));
  header.set(nonce, aadSize);
  header.set(cipher.update(vaultKey), aadSize + nonceSize);
  cipher.final();
  header.set(cipher.getAuthTag(), aadSize + nonceSize + vaultKeySize);
  return header;
}

/** A fresh password salt. */
export function newPasswordSalt(random: Random): Uint8Array {
  return random.bytes(saltSize);
}
