import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatRecoveryKey } from '../../main/engine/archive/vault.ts';
import { lettingThrough } from '../support/let-through.ts';
import { field, passwordOf, readVectors, stated } from '../support/vectors.ts';
import type { Vector } from '../support/vectors.ts';

const opener = fileURLToPath(new URL('../../docs/recovery/open.py', import.meta.url));
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const tools = spawnSync(python, ['-c', 'import cryptography']).status === 0 && spawnSync('zstd', ['--version']).status === 0;

const exitCodes: Readonly<Record<string, number>> = {
  success: 0,
  unsupported: 1,
  'config-invalid': 2,
  'wrong-password': 12,
  'wrong-key': 12,
  corrupt: 13,
  truncated: 13,
};

/** What a file's name ends in, where that is not the kind itself. */
const endings: Readonly<Record<string, string>> = { archive: 'holdfast', classic: 'zip.zst.enc' };

interface Run {
  readonly status: number;
  readonly out: Buffer;
  readonly said: string;
}

/** Runs open.py on a vector as a person would: everything in files. */
async function runOpener(vector: Vector, env: NodeJS.ProcessEnv = process.env): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  try {
    const put = (name: string, bytes: Uint8Array | string): string => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const out = join(folder, 'out');
    const kind = field(vector, 'label').replace('holdfast/v2/', '');
    const args = [opener, put(`sealed.${endings[kind] ?? kind}`, vector.blob), '-o', out];
    const { fields } = vector;
    const recoveryKey = fields.get('recovery-key') ?? formatRecoveryKey(Buffer.from(fields.get('vault-key') ?? '', 'hex'));
    if (fields.has('password')) args.push('--password-file', put('password', passwordOf(vector)));
    else if (fields.has('password-file'))
      args.push('--password-file', put('password', Buffer.from(field(vector, 'password-file'), 'base64')));
    else args.push('--recovery-key', put('key', recoveryKey));
    if (fields.has('vault')) args.push('--vault', put('vault', Buffer.from(field(vector, 'vault'), 'base64')));
    const { status, said } = await new Promise<{ status: number; said: string }>((resolve) => {
      const child = execFile(python, args, { env }, (_error, _stdout, stderr) => resolve({ status: child.exitCode ?? -1, said: stderr }));
    });
    return { status, said, out: existsSync(out) ? readFileSync(out) : Buffer.alloc(0) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const titled = (list: readonly Vector[]): [string, Vector][] =>
  list.map((vector) => [`${vector.name}: ${field(vector, 'comment')}`, vector]);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(!tools)('docs/recovery/open.py comes to the stated end and lets out the same bytes', () => {
  test.concurrent.each(titled(readVectors()))('%s', async (_title, vector) => {
    const { status, out, said } = await runOpener(vector, lettingThrough());
    expect([status, sha256(out)], said).toEqual([exitCodes[field(vector, 'expect')], stated(vector).payload]);
    expect(said).not.toContain('Traceback');
  });
});

describe.skipIf(!tools)('docs/recovery/open.py decompresses what it unseals', () => {
  test.concurrent.each(titled(readVectors().filter(({ fields }) => fields.has('inside'))))('%s', async (_title, vector) => {
    const { status, out, said } = await runOpener(vector);
    expect(status, said).toBe(exitCodes[field(vector, 'inside')]);
    if (status === 0) expect(sha256(out)).toBe(field(vector, 'content'));
  });
});
