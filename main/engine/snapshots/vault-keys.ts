import { Fault } from '../../contract/faults.ts';
import { headerSize } from '../archive/header.ts';
import { Keyring } from '../archive/keyring.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { listObjects, newestObjects, readHead } from './object-heads.ts';

/**
 * What is sealed must stand behind the header that wraps its key. Which of several recovery keys the newest record wraps cannot be seen
 * without the password, but for an object that was sealed under it.
 */
export async function withNewestKey(backend: Backend, vault: OpenVault, options: CallOptions): Promise<OpenVault> {
  for (const { key } of (await listObjects(backend, options))?.slice(0, newestObjects) ?? []) {
    const head = await readHead(backend, key, options);
    if (head === null || !head.subarray(0, headerSize).equals(vault.header)) continue;
    for (const vaultKey of vault.keyring.vaultKeys) {
      if (await opens(vaultKey, head, key)) return { ...vault, vaultKey };
    }
  }
  throw new Fault('config-invalid', 'nothing here shows which key the newest password goes with: back up with the password once', {
    operation: 'open vault',
  });
}

async function opens(vaultKey: Buffer, head: Buffer, key: string): Promise<boolean> {
  try {
    await new Keyring({ vaultKeys: [vaultKey] }).open(
      head,
      key.endsWith('.manifest') ? 'holdfast/v2/manifest' : 'holdfast/v2/archive',
      key,
    );
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/**
 * Makes the keyring know every vault key that a snapshot was sealed with, also of a machine whose record the vault never got: what
 * is not among the keys when the password changes opens with the old one only. Fault wrong-key: a recovery key is missing.
 */
export async function learnVaultKeys(backend: Backend, vault: OpenVault, options: CallOptions): Promise<void> {
  for (const { key } of (await listObjects(backend, options)) ?? []) {
    if (!key.endsWith('.manifest')) continue;
    const head = await readHead(backend, key, options);
    if (head === null) continue;
    try {
      await vault.keyring.open(head, 'holdfast/v2/manifest', key);
    } catch (error) {
      // What is damaged is so under any password.
      if (!(error instanceof Fault) || error.code === 'wrong-key') throw error;
    }
  }
}
