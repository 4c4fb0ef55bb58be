import { Fault } from '../../contract/faults.ts';
import { headerSize, parseHeader } from '../archive/header.ts';
import { Keyring } from '../archive/keyring.ts';
import { createVault, openVault, openVaultWithKeys, parseRecoveryKeys, vaultName } from '../archive/vault.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { Credentials } from '../engine.ts';
import type { Random } from '../ports.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { readBytes } from '../storage/read-object.ts';
import { uploadBytes } from '../storage/upload-object.ts';
import type { KnownVault } from './known-vault.ts';
import { isRecord, newestObjects, recordsFromObjects } from './object-heads.ts';
import type { FoundHeader } from './object-heads.ts';
import { withNewestKey } from './vault-keys.ts';

const maxVaultSize = 1024 * headerSize;

export interface VaultOptions extends CallOptions {
  readonly credentials: Credentials;
  /** Make one where a full listing shows nothing of ours. */
  readonly create?: { readonly random: Random; readonly iterations: number };
  /** For a call that only looks: what an earlier one has opened. */
  readonly known?: KnownVault | undefined;
}

/**
 * The destination's vault, opened; `damage` says what was wrong with the stored one and is repaired in memory (and in the destination by
 * whoever may create). Faults: not-found (nothing here yet), wrong-password, wrong-key, corrupt.
 */
export async function loadVault(backend: Backend, options: VaultOptions): Promise<OpenVault> {
  const slots = await readSlots(backend, options);
  const known = slots === null ? undefined : options.known?.get(slots, options.credentials);
  if (known !== undefined && options.create === undefined) return known;
  let vault =
    slots?.some(isRecord) === true ? await openSlots(backend, slots, options) : await openFromObjects(backend, slots !== null, options);
  if (vault === null) {
    if (options.create === undefined) {
      throw new Fault('not-found', 'this destination holds no Holdfast snapshots', { operation: 'open vault' });
    }
    return makeVault(backend, { ...options, create: options.create });
  }
  if (slots !== null && vault.damage === undefined) options.known?.put(slots, options.credentials, vault);
  if (options.create === undefined) return vault;
  if (vault.damage !== undefined && slots !== null) {
    // To look through the objects takes long: a password that was changed meanwhile stays changed.
    const now = await readSlots(backend, options);
    if (now !== null && Buffer.concat(now).equals(Buffer.concat(slots))) await storeRecords(backend, vault.records, options);
    else if (now !== null) vault = await openSlots(backend, now, options);
  } else if (vault.damage !== undefined) {
    const hidden = await storeMissing(backend, vault.records, options);
    if (hidden !== null) vault = await openSlots(backend, hidden, options);
  }
  return options.credentials.kind === 'password' ? vault : withNewestKey(backend, vault, options);
}

/**
 * Opens the stored records, and where some are damaged puts the objects' own headers in their places: never in another place, so that
 * a password that was given up does not become the newest again.
 */
async function openSlots(backend: Backend, slots: readonly Buffer[], options: VaultOptions): Promise<OpenVault> {
  const whole = slots.every(isRecord);
  let refused: unknown = null;
  if (whole) {
    try {
      return await openRecords(slots, options.credentials);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'wrong-password') throw error;
      refused = error;
    }
  }
  // A mere typing error must not wait for thousands of objects: what lies beyond the newest is needed only where a record is gone.
  const headers = ((await recordsFromObjects(backend, options, whole ? newestObjects : Infinity)) ?? []).map(({ header }) => header);
  const repaired = slots.map((slot) => {
    if (headers.some((header) => header.equals(slot))) return slot;
    const spare = headers.filter((header) => !slots.some((other) => other.equals(header)));
    return spare.find((header) => isDamagedCopy(slot, header)) ?? (isRecord(slot) ? slot : (spare[0] ?? slot));
  });
  if (refused !== null && repaired.every((record, index) => record === slots[index])) throw refused;
  const records = repaired.filter((record, index) => isRecord(record) && repaired.findIndex((other) => other.equals(record)) === index);
  return { ...(await openRecords(records, options.credentials)), damage: `${vaultName} is damaged; the objects' own headers repair it` };
}

async function openFromObjects(backend: Backend, damaged: boolean, options: VaultOptions): Promise<OpenVault | null> {
  const found = await recordsFromObjects(backend, options);
  if (found === null) return null;
  const damage = `${vaultName} is ${damaged ? 'damaged' : 'missing'}; it was rebuilt from the objects' own headers`;
  return { ...(await openRebuilt(found, options.credentials)), damage };
}

export async function vaultExists(backend: Backend, options: CallOptions): Promise<boolean> {
  if ((await readSlots(backend, options)) !== null) return true;
  return (await recordsFromObjects(backend, options)) !== null;
}

/** Called just before a snapshot is committed: whatever another machine did meanwhile, the vault must hold the record it needs. */
export async function ensureVaultHolds(backend: Backend, vault: OpenVault, options: CallOptions): Promise<void> {
  const slots = await readSlots(backend, options);
  const stored = slots?.filter(isRecord) ?? [];
  if (stored.some((record) => record.equals(vault.header))) return;
  const newest = stored[0];
  if (newest !== undefined && (await vault.keyring.unwrap(parseHeader(newest))) === null) {
    throw new Fault('wrong-password', 'another machine began this backup place at the same moment, with another password', {
      operation: 'open vault',
    });
  }
  const isWhole = slots !== null && slots.length > 0 && slots.every(isRecord);
  const others = isWhole ? noOthers : await othersOnObjects(backend, vault, options);
  const wanted = [...others.newer, ...stored, ...vault.records, ...others.like];
  const records = wanted.filter((record, index) => wanted.findIndex((known) => known.equals(record)) === index);
  if (slots !== null) await storeRecords(backend, records, options);
  else if ((await storeMissing(backend, records, options)) !== null) await ensureVaultHolds(backend, vault, options);
}

const noOthers = { newer: [], like: [] };

/**
 * What objects bear and the vault did not hold when it was opened. Its password was the newest then: one that it does not open is newer still, and
 * must not be put behind it. What is on one object only may be damaged.
 */
async function othersOnObjects(
  backend: Backend,
  vault: OpenVault,
  options: CallOptions,
): Promise<{ readonly newer: readonly Buffer[]; readonly like: readonly Buffer[] }> {
  const [newer, like]: [Buffer[], Buffer[]] = [[], []];
  for (const { header, count } of (await recordsFromObjects(backend, options)) ?? []) {
    if (count < 2 || vault.records.some((known) => known.equals(header))) continue;
    ((await vault.keyring.unwrap(parseHeader(header))) === null ? newer : like).push(header);
  }
  return { newer, like };
}

/** Just before records take the place of those that `vault` was opened with. Fault locked: another machine has changed them since. */
export async function ensureVaultUnchanged(backend: Backend, vault: OpenVault, options: CallOptions): Promise<void> {
  const stored = (await readSlots(backend, options))?.filter(isRecord) ?? [];
  if (stored.every((record) => vault.records.some((known) => known.equals(record)))) return;
  throw new Fault('locked', 'another machine has changed the password meanwhile; this change was not made', {
    operation: 'change password',
    context: { next: 'Begin again, with the password that holds now.' },
  });
}

/** Replaces the vault in one step. */
export async function storeRecords(backend: Backend, records: readonly Buffer[], options: CallOptions): Promise<void> {
  await uploadBytes(backend, vaultName, Buffer.concat(records), options.signal === undefined ? {} : { signal: options.signal });
}

/**
 * Puts a vault where none was found; null when that is done. One that is there after all, because another machine was first or the store hid it from
 * the reading, may hold a newer password: it stays, and is what this settles to.
 */
async function storeMissing(backend: Backend, records: readonly Buffer[], options: CallOptions): Promise<readonly Buffer[] | null> {
  try {
    await uploadBytes(backend, vaultName, Buffer.concat(records), { signal: options.signal, ifAbsent: true });
    return null;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'already-exists') throw error;
    const slots = await readSlots(backend, options);
    if (slots !== null) return slots;
    throw new Fault('unavailable', `${vaultName} is there, but cannot be read yet`, { operation: 'open vault', cause: error });
  }
}

async function makeVault(
  backend: Backend,
  options: VaultOptions & { readonly create: { readonly random: Random; readonly iterations: number } },
): Promise<OpenVault> {
  if (options.credentials.kind !== 'password') {
    throw new Fault('config-invalid', 'a new backup place needs a password, not a recovery key', { operation: 'make vault' });
  }
  const vault = await createVault(options.credentials.password, options.create.random, options.create.iterations);
  const slots = await storeMissing(backend, vault.records, options);
  // Another machine was first: its vault is the vault.
  if (slots !== null) return openSlots(backend, slots, options);
  // Where the provider knows no "only if absent", the vault of a machine that came first may just have been replaced by ours.
  const others = await recordsFromObjects(backend, options);
  if (others === null) return vault;
  const records = [...vault.records, ...others.map(({ header }) => header).filter((header) => !header.equals(vault.header))];
  for (const { header } of others) {
    if ((await vault.keyring.unwrap(parseHeader(header))) !== null) continue;
    await storeRecords(backend, records.slice(1), options);
    throw new Fault('wrong-password', 'another machine began this backup place at the same moment, with another password', {
      operation: 'open vault',
    });
  }
  await storeRecords(backend, records, options);
  return openVault(records, options.credentials.password);
}

/** The places of the stored vault, each with a record or with what is left of one; null when there is no vault. */
async function readSlots(backend: Backend, options: CallOptions): Promise<readonly Buffer[] | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(backend, vaultName, { limit: maxVaultSize, signal: options.signal });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === 'not-found') return null;
    // Larger than any vault: not ours, and the objects' own headers hold all that it should.
    if (error.code === 'corrupt') return [];
    throw error;
  }
  const slots: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += headerSize) slots.push(Buffer.from(bytes.subarray(at, at + headerSize)));
  return slots;
}

/** Two records share little more than magic, cost and perhaps a salt; one that was damaged still shares most of what is random. */
function isDamagedCopy(slot: Buffer, header: Buffer): boolean {
  let same = 0;
  for (let at = 16; at < headerSize; at += 1) if (slot[at] === header[at]) same += 1;
  return same > (headerSize - 16) / 2;
}

function openRecords(records: readonly Buffer[], credentials: Credentials): Promise<OpenVault> | OpenVault {
  if (credentials.kind === 'password') return openVault(records, credentials.password);
  return openVaultWithKeys(records, parseRecoveryKeys(credentials.text));
}

/**
 * Headers of damaged objects are among the rebuilt ones. What several objects bear is no damage and keeps its order, so that a former
 * password is still told from the present one; of the others, those that the password opens come first.
 */
async function openRebuilt(found: readonly FoundHeader[], credentials: Credentials): Promise<OpenVault> {
  const all = found.map(({ header }) => header);
  if (all.length === 0) {
    throw new Fault('corrupt', 'the vault is missing, and no header of an object is left whole to rebuild it from', {
      operation: 'open vault',
    });
  }
  if (credentials.kind === 'recovery-key') return openVaultWithKeys(all, parseRecoveryKeys(credentials.text));
  const keyring = new Keyring({ password: credentials.password });
  const opened = new Set<Buffer>();
  for (const header of all) if ((await keyring.unwrap(parseHeader(header))) !== null) opened.add(header);
  if (opened.size === 0) {
    throw new Fault('wrong-password', 'wrong password: none of the snapshots here opens with it (the vault is missing)', {
      operation: 'open vault',
    });
  }
  const sure = found.filter(({ count }) => count > 1).map(({ header }) => header);
  const rest = all.filter((header) => !sure.includes(header));
  return openVault(
    [...sure, ...rest.filter((header) => opened.has(header)), ...rest.filter((header) => !opened.has(header))],
    credentials.password,
  );
}
