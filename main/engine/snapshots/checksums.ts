import { Fault } from '../../contract/faults.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { readBytes } from '../storage/read-object.ts';
import type { ManifestArchive } from './manifest.ts';
import { checksumKey } from './names.ts';

/** A checksum file is one line; a larger one is none. */
const maxChecksumFile = 4096;

export interface ChecksumFinding {
  readonly kind: 'damage' | 'warning';
  readonly object: string;
  readonly message: string;
}

/** Reads `<64 hex>  <name>` beside an object. Null when it is missing; a fault corrupt when it is something else. */
export async function readChecksum(backend: Backend, key: string, options: CallOptions): Promise<string | null> {
  let text: string;
  try {
    text = Buffer.from(await readBytes(backend, checksumKey(key), { ...options, limit: maxChecksumFile })).toString('utf8');
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return null;
    throw error;
  }
  const [, hex, name] = /^([0-9a-f]{64}) [ *]([^\r\n]+)\r?\n?$/.exec(text) ?? [];
  if (hex === undefined || name !== key.slice(key.lastIndexOf('/') + 1)) {
    throw new Fault('corrupt', `${checksumKey(key)} is no checksum of ${key}`, {
      operation: 'read checksum',
      context: { object: checksumKey(key) },
    });
  }
  return hex;
}

/**
 * Compares what was read with what the manifest and the checksum files say. `read`: null where an archive was not read whole. `checksumOf`: readChecksum of an
 * archive's key.
 */
export async function compareChecksums(
  checksumOf: (key: string) => Promise<string | null>,
  archives: readonly ManifestArchive[],
  read: readonly (string | null)[],
): Promise<readonly ChecksumFinding[]> {
  const findings: ChecksumFinding[] = [];
  for (const [index, { key, sha256 }] of archives.entries()) {
    const ours = read[index] ?? sha256;
    if (ours !== sha256) {
      findings.push({ kind: 'damage', object: key, message: `${key}: its bytes are not those that its manifest names (SHA-256 differs)` });
    }
    try {
      const stored = await checksumOf(key);
      if (stored === null) findings.push({ kind: 'warning', object: checksumKey(key), message: `${checksumKey(key)} is missing` });
      else if (stored !== ours && ours === sha256) {
        findings.push({
          kind: 'damage',
          object: checksumKey(key),
          message: `${checksumKey(key)} names another SHA-256 than the archive has`,
        });
      }
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'corrupt') throw error;
      findings.push({ kind: 'damage', object: checksumKey(key), message: error.message });
    }
  }
  return findings;
}
