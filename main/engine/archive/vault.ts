import { createHash } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import type { Random } from '../ports.ts';
import { defaultIterations, deriveKek, headerSize, newPasswordSalt, parseHeader, vaultKeySize, wrapVaultKey } from './header.ts';
import { Keyring } from './keyring.ts';

export const vaultName = 'holdfast.vault';
const maxRecords = 1024;

/** A vault that has been opened: what seals new objects, and what opens old ones. */
export interface OpenVault {
  readonly keyring: Keyring;
  /** The newest record: every new object begins with these 92 bytes. Its vault key seals them. */
  readonly header: Buffer;
  readonly vaultKey: Buffer;
  readonly records: readonly Buffer[];
  /** What was wrong with the stored vault, which these records repair. */
  readonly damage?: string;
}

/** The records of a stored vault, newest first. Fault corrupt when it is no list of header records. */
export function parseVault(bytes: Uint8Array): readonly Buffer[] {
  const count = bytes.length / headerSize;
  if (!Number.isInteger(count) || count < 1 || count > maxRecords) {
    throw new Fault('corrupt', `${vaultName} is ${bytes.length} bytes long, which is no list of records`, { operation: 'open vault' });
  }
  const records: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const record = Buffer.from(bytes.subarray(index * headerSize, (index + 1) * headerSize));
    parseHeader(record);
    records.push(record);
  }
  return records;
}

/** Opens a vault by password. The newest record must open: one that opens only an older record was changed since. */
export async function openVault(records: readonly Buffer[], password: string): Promise<OpenVault> {
  const keyring = new Keyring({ password, records });
  const header = newestRecord(records);
  const vaultKey = await keyring.unwrap(parseHeader(header));
  if (vaultKey !== null) {
    for (const record of records) await keyring.unwrap(parseHeader(record));
    return { keyring, header, vaultKey, records };
  }
  for (const record of records) {
    if ((await keyring.unwrap(parseHeader(record))) === null) continue;
    throw new Fault('wrong-password', 'this was the password once, but it has been changed since', { operation: 'open vault' });
  }
  throw new Fault('wrong-password', 'wrong password', { operation: 'open vault' });
}

/** Opens a vault by recovery keys. Which key the newest record wraps cannot be seen without the password: `vaultKey` is the first one given. */
export function openVaultWithKeys(records: readonly Buffer[], vaultKeys: readonly Buffer[]): OpenVault {
  const first = vaultKeys[0];
  if (first === undefined) throw new Fault('config-invalid', 'no recovery key was given', { operation: 'open vault' });
  return { keyring: new Keyring({ vaultKeys, records }), header: newestRecord(records), vaultKey: first, records };
}

/** A new vault: one record with a fresh vault key. */
export async function createVault(password: string, random: Random, iterations = defaultIterations): Promise<OpenVault> {
  const vaultKey = Buffer.from(random.bytes(vaultKeySize));
  const records = await recordsFor([vaultKey], password, random, iterations);
  return { keyring: new Keyring({ password, vaultKeys: [vaultKey], records }), header: newestRecord(records), vaultKey, records };
}

/** New records in front of the old ones: each vault key in use under the new password. With `newKey`, a fresh vault key comes first. */
export async function changeVaultPassword(
  vault: OpenVault,
  request: { readonly newPassword: string; readonly newKey: boolean },
  random: Random,
  iterations = defaultIterations,
): Promise<readonly Buffer[]> {
  const others = vault.keyring.vaultKeys.filter((key) => !key.equals(vault.vaultKey));
  const keys = [vault.vaultKey, ...others];
  if (request.newKey) keys.unshift(Buffer.from(random.bytes(vaultKeySize)));
  const added = await recordsFor(keys, request.newPassword, random, iterations);
  const records = [...added, ...vault.records];
  if (records.length > maxRecords) {
    throw new Fault('unsupported', `the vault already holds ${vault.records.length} records`, { operation: 'change password' });
  }
  return records;
}

/** One salt for all: a single derivation opens every record. */
async function recordsFor(keys: readonly Buffer[], password: string, random: Random, iterations: number): Promise<Buffer[]> {
  const salt = newPasswordSalt(random);
  const key = await deriveKek(password, salt, iterations);
  return keys.map((vaultKey) => wrapVaultKey(vaultKey, { key, salt, iterations }, random));
}

function newestRecord(records: readonly Buffer[]): Buffer {
  const newest = records[0];
  if (newest === undefined) throw new Fault('corrupt', `${vaultName} holds no record`, { operation: 'open vault' });
  return newest;
}

const recoveryPrefix = 'HFRK1';
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const checksumSize = 4;

function recoveryChecksum(vaultKey: Uint8Array): Buffer {
  return createHash('sha256').update('holdfast/v2/recovery-key\0').update(vaultKey).digest().subarray(0, checksumSize);
}

/** The vault key as text to print: prefix, base32 (RFC 4648) of key and checksum, in groups of five. */
export function formatRecoveryKey(vaultKey: Uint8Array): string {
  const bytes = Buffer.concat([vaultKey, recoveryChecksum(vaultKey)]);
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  let text = '';
  for (let at = 0; at < bits.length; at += 5) text += base32.charAt(Number.parseInt(bits.slice(at, at + 5).padEnd(5, '0'), 2));
  return `${recoveryPrefix}-${(text.match(/.{1,5}/g) ?? []).join('-')}`;
}

/** Reads one recovery key; case, spaces and dashes do not matter. Fault wrong-key when the checksum does not hold: a typing error. */
export function parseRecoveryKey(line: string): Buffer {
  const text = line.toUpperCase().replace(/[\s-]/g, '');
  const bad = (): Fault => new Fault('wrong-key', 'this is no recovery key, or it has a typing error', { operation: 'read recovery key' });
  if (!text.startsWith(recoveryPrefix)) throw bad();
  let bits = '';
  for (const letter of text.slice(recoveryPrefix.length)) {
    const value = base32.indexOf(letter);
    if (value < 0) throw bad();
    bits += value.toString(2).padStart(5, '0');
  }
  const size = vaultKeySize + checksumSize;
  if (bits.length !== Math.ceil((size * 8) / 5) * 5) throw bad();
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index += 1) bytes[index] = Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2);
  const key = bytes.subarray(0, vaultKeySize);
  if (!recoveryChecksum(key).equals(bytes.subarray(vaultKeySize))) throw bad();
  return key;
}

/** The recovery keys in a text, one on a line: a file of keys, with blank lines and `#` comments, or a whole recovery kit. */
export function parseRecoveryKeys(text: string): readonly Buffer[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const marked = lines.filter((line) => line.toUpperCase().startsWith(recoveryPrefix));
  const keys = (marked.length > 0 ? marked : lines.filter((line) => line !== '' && !line.startsWith('#'))).map(parseRecoveryKey);
  if (keys.length === 0) throw new Fault('config-invalid', 'the recovery-key file holds no key', { operation: 'read recovery key' });
  return keys;
}
