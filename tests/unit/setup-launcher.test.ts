import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemNode } from '../support/system-node.ts';

const root = join(import.meta.dirname, '..', '..');
const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
const other = systemNode();

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-launcher-')));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A checkout with the real launcher and a command line that does what the test says. */
function checkout(cli: string, isSetUp = true): string {
  for (const path of ['bin', 'main/headless', 'node_modules/node/bin']) mkdirSync(join(folder, 'repo', path), { recursive: true });
  const launcher = join(folder, 'repo/bin/holdfast.js');
  copyFileSync(join(root, 'bin/holdfast.js'), launcher);
  writeFileSync(join(folder, 'repo/package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'repo/main/headless/cli.ts'), cli);
  if (isSetUp) {
    symlinkSync(pinned, join(folder, 'repo/node_modules/node/bin/node'));
    writeFileSync(join(folder, 'repo/node_modules/.holdfast-setup'), '');
  }
  return launcher;
}

const printAll = `
  interface Seen { readonly args: readonly string[]; readonly version: string; readonly cwd: string; readonly cache: string | undefined }
  const seen: Seen = { args: process.argv.slice(2), version: process.version, cwd: process.cwd(), cache: process.env['NODE_COMPILE_CACHE'] };
  console.log(JSON.stringify(seen));`;

const nodes = [
  { name: 'the pinned Node', node: pinned },
  // A skipped test says why.
  { name: other === null ? 'the Node of the system (there is none here)' : 'the Node of the system', node: other },
];

describe.each(nodes)('started by $name', ({ node: found }) => {
  const node = found ?? '';
  const testWith = test.skipIf(found === null);

  testWith('runs the TypeScript command line under the pinned Node, from any folder', () => {
    // As a shell has it: these tests run with a cache of their own.
    const env = { ...process.env };
    delete env['NODE_COMPILE_CACHE'];
    const result = spawnSync(node, [checkout(printAll), 'ls', '--json', 'ä b', ''], { cwd: tmpdir(), encoding: 'utf8', env });
    expect(result.stderr).toBe('');
    const version = spawnSync(pinned, ['--version'], { encoding: 'utf8' }).stdout.trim();
    expect(JSON.parse(result.stdout)).toEqual({
      args: ['ls', '--json', 'ä b', ''],
      version,
      cwd: realpathSync(tmpdir()),
      cache: join(folder, 'repo/.cache/compile'),
    });
  });

  testWith('works through links to links', () => {
    symlinkSync(checkout(printAll), join(folder, 'first'));
    symlinkSync('first', join(folder, 'holdfast'));
    const result = spawnSync(node, [join(folder, 'holdfast'), '--version'], { cwd: '/', encoding: 'utf8' });
    expect(JSON.parse(result.stdout)).toMatchObject({ args: ['--version'] });
  });

  testWith.each([0, 1, 3, 13, 130])('passes exit code %i on', (code) => {
    expect(spawnSync(node, [checkout(`process.exit(${String(code)} as number);`)]).status).toBe(code);
  });

  testWith('passes standard input on', () => {
    const launcher = checkout(`process.stdin.on('data', (data: Buffer) => process.stdout.write(data.toString().toUpperCase()));`);
    expect(spawnSync(node, [launcher], { input: 'times', encoding: 'utf8' }).stdout).toBe('TIMES');
  });

  testWith.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'passes %s on, by a signal that no terminal sends, and waits for the end',
    async (signal) => {
      const passed = node === pinned ? signal : 'SIGUSR2';
      const child = start(
        node,
        checkout(`
        process.on('${passed}', () => { console.log('got ${passed}'); clearInterval(waiting); process.exitCode = 130; });
        const waiting = setInterval(() => {}, 1000);
        console.log('ready');`),
      );
      const output = collect(child);
      await output.until('ready');
      child.kill(signal);
      expect(await once(child, 'close')).toEqual([130, null]);
      expect(output.text()).toContain(`got ${passed}`);
    },
  );

  testWith('ends by the signal it was sent where the command did not listen yet', async () => {
    const child = start(node, checkout(`setInterval(() => {}, 1000); console.log('ready');`));
    await collect(child).until('ready');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([null, 'SIGTERM']);
  });

  testWith('ends by the signal that ended the command', async () => {
    const child = start(node, checkout(`process.kill(process.pid, 'SIGKILL');`));
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  });

  testWith('says what to run where set-up has not been done', () => {
    const result = spawnSync(node, [checkout(printAll, false), 'snapshots'], { encoding: 'utf8' });
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toBe(`holdfast is not set up yet. Run this once: npm --prefix '${join(folder, 'repo')}' run setup\n`);
  });
});

function start(node: string, launcher: string): ChildProcess {
  return spawn(node, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
}

function collect(child: ChildProcess): { readonly until: (text: string) => Promise<void>; readonly text: () => string } {
  let seen = '';
  let look = (): void => undefined;
  child.stdout?.on('data', (data: Buffer) => {
    seen += data.toString();
    look();
  });
  return {
    text: () => seen,
    until: (text) =>
      new Promise((resolve) => {
        look = () => {
          if (seen.includes(text)) resolve();
        };
        look();
      }),
  };
}
