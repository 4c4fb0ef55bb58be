import { Fault } from '../../contract/faults.ts';
import { headerSize, parseHeader } from '../archive/header.ts';
import { Keyring } from '../archive/keyring.ts';
import { createVault, openVault, openVaultWithKeys, parseRecoveryKeys, parseVault, vaultName } from '../archive/vault.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { Credentials } from '../engine.ts';
import type { Random } from '../ports.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { readBytes } from '../storage/read-object.ts';
import { uploadBytes } from '../storage/upload-object.ts';
import { readObjectName } from './names.ts';

const maxVaultSize = 1024 * headerSize;

export interface VaultOptions extends CallOptions {
  readonly credentials: Credentials;
  /** Make one where a full listing shows nothing of ours. */
  readonly create?: { readonly random: Random; readonly iterations: number };
}

/** The destination's vault, opened. Faults: not-found (nothing here yet), wrong-password, wrong-key, corrupt. */
export async function loadVault(backend: Backend, options: VaultOptions): Promise<OpenVault> {
  const records = await readRecords(backend, options);
  if (records !== null) return openRecords(records, options.credentials);
  const rebuilt = await recordsFromObjects(backend, options);
  if (rebuilt !== null) {
    const vault = await openRebuilt(rebuilt, options.credentials);
    if (options.create !== undefined) await storeRecords(backend, vault.records, options);
    return vault;
  }
  if (options.create === undefined) {
    throw new Fault('not-found', 'this destination holds no Holdfast snapshots', { operation: 'open vault' });
  }
  return makeVault(backend, { ...options, create: options.create });
}

export async function vaultExists(backend: Backend, options: CallOptions): Promise<boolean> {
  if ((await readRecords(backend, options)) !== null) return true;
  return (await recordsFromObjects(backend, options)) !== null;
}

/** Called just before a snapshot is committed: whatever another machine did meanwhile, the vault must hold the record it needs. */
export async function ensureVaultHolds(backend: Backend, vault: OpenVault, options: CallOptions): Promise<void> {
  const stored = await readRecords(backend, options);
  if (stored?.some((record) => record.equals(vault.header)) === true) return;
  const missing = vault.records.filter((record) => stored?.some((known) => known.equals(record)) !== true);
  await storeRecords(backend, [...(stored ?? []), ...missing], options);
}

/** Replaces the vault in one step. */
export async function storeRecords(backend: Backend, records: readonly Buffer[], options: CallOptions): Promise<void> {
  await uploadBytes(backend, vaultName, Buffer.concat(records), options.signal === undefined ? {} : { signal: options.signal });
}

async function makeVault(
  backend: Backend,
  options: VaultOptions & { readonly create: { readonly random: Random; readonly iterations: number } },
): Promise<OpenVault> {
  if (options.credentials.kind !== 'password') {
    throw new Fault('config-invalid', 'a new destination needs a password, not a recovery key', { operation: 'make vault' });
  }
  const vault = await createVault(options.credentials.password, options.create.random, options.create.iterations);
  try {
    await uploadBytes(backend, vaultName, vault.header, { signal: options.signal, ifAbsent: true });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'already-exists') throw error;
    // Another machine was first: its vault is the vault.
    const records = await readRecords(backend, options);
    if (records === null) throw error;
    return openRecords(records, options.credentials);
  }
  return vault;
}

async function readRecords(backend: Backend, options: CallOptions): Promise<readonly Buffer[] | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(backend, vaultName, { limit: maxVaultSize, signal: options.signal });
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return null;
    throw error;
  }
  try {
    return parseVault(bytes);
  } catch (error) {
    // A damaged vault is as good as a missing one: the objects' own headers hold all that it held.
    if (error instanceof Fault && (error.code === 'corrupt' || error.code === 'unsupported')) return null;
    throw error;
  }
}

function openRecords(records: readonly Buffer[], credentials: Credentials): Promise<OpenVault> | OpenVault {
  if (credentials.kind === 'password') return openVault(records, credentials.password);
  return openVaultWithKeys(records, parseRecoveryKeys(credentials.text));
}

/** The distinct headers of all objects, newest object first; null when nothing of ours is there. */
async function recordsFromObjects(backend: Backend, options: CallOptions): Promise<readonly Buffer[] | null> {
  const found: { key: string; id: string }[] = [];
  let ours = false;
  for await (const { key } of backend.list('', options)) {
    const name = readObjectName(key);
    if (name === null) continue;
    if (name.kind === 'classic') continue;
    ours = true;
    if ((name.kind === 'manifest' || name.kind === 'archive') && key.length > 0) found.push({ key, id: name.id });
  }
  if (!ours) return null;
  found.sort((a, b) => (a.id < b.id ? 1 : -1));
  const records: Buffer[] = [];
  for (const { key } of found) {
    const header = await readHeader(backend, key, options);
    if (header !== null && !records.some((known) => known.equals(header))) records.push(header);
  }
  return records;
}

async function readHeader(backend: Backend, key: string, options: CallOptions): Promise<Buffer | null> {
  try {
    const bytes = await readBytes(backend, key, { range: { offset: 0, length: headerSize }, limit: headerSize, signal: options.signal });
    return parseHeader(bytes).bytes;
  } catch (error) {
    // One damaged or vanished object is no reason to lose the others; what cannot be reached is.
    const skip = ['corrupt', 'truncated', 'unsupported', 'range-invalid', 'not-found'];
    if (error instanceof Fault && skip.includes(error.code)) return null;
    throw error;
  }
}

/** Headers of damaged objects are among the rebuilt ones: those that the password opens come first. */
async function openRebuilt(records: readonly Buffer[], credentials: Credentials): Promise<OpenVault> {
  if (credentials.kind === 'recovery-key') return openVaultWithKeys(records, parseRecoveryKeys(credentials.text));
  const keyring = new Keyring({ password: credentials.password });
  const opened: Buffer[] = [];
  for (const record of records) if ((await keyring.unwrap(parseHeader(record))) !== null) opened.push(record);
  if (opened.length === 0) {
    throw new Fault('wrong-password', 'wrong password: none of the snapshots here opens with it (the vault is missing)', { operation: 'open vault' });
  }
  return openVault([...opened, ...records.filter((record) => !opened.includes(record))], credentials.password);
}
