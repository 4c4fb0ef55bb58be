import { createHash } from 'node:crypto';
import type { OpenVault } from '../archive/vault.ts';
import type { Credentials } from '../engine.ts';

/** Of one backup place. */
export interface KnownVault {
  /** Undefined where the records that are stored now, or what shall open them, are not the ones that were opened. */
  get(slots: readonly Buffer[], credentials: Credentials): OpenVault | undefined;
  put(slots: readonly Buffer[], credentials: Credentials, vault: OpenVault): void;
}

/**
 * A vault that was opened stays open in memory, for calls that only look: to derive its key again takes longer than all else that such a call does. What it is
 * opened with is kept as a digest.
 */
export function vaultOfPlace(): KnownVault {
  let last: { readonly digest: Buffer; readonly vault: OpenVault } | null = null;
  return {
    get: (slots, credentials) => (last?.digest.equals(digestOf(slots, credentials)) === true ? last.vault : undefined),
    put(slots, credentials, vault) {
      last = { digest: digestOf(slots, credentials), vault };
    },
  };
}

function digestOf(slots: readonly Buffer[], credentials: Credentials): Buffer {
  return createHash('sha256').update(JSON.stringify(credentials)).update('\0').update(Buffer.concat(slots)).digest();
}
