import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let env: NodeJS.ProcessEnv | undefined;

/** An environment whose `zstd` lets through what it is given: what open.py makes in it is what lies under the seal. */
export function lettingThrough(): NodeJS.ProcessEnv {
  if (env === undefined) {
    const bin = mkdtempSync(join(tmpdir(), 'holdfast-test-bin-'));
    process.once('exit', () => rmSync(bin, { recursive: true, force: true }));
    writeFileSync(join(bin, 'zstd'), '#!/bin/sh\nexec cat\n', { mode: 0o755 });
    env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  }
  return env;
}
