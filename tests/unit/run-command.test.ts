import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openQuiesce } from '../../main/adapters/quiesce/open-quiesce.ts';
import { redactor } from '../../main/adapters/logs/redactor.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { runCommand } from '../../main/adapters/system/run-command.ts';
import type { QuiesceSettings } from '../../main/contract/server-settings.ts';
import { providerSecrets } from '../../main/contract/settings.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';

afterEach(() => vi.unstubAllEnvs());
const patient = { clock: systemClock, timeoutMs: 60_000 };
const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script];

/** Once the file has this line. */
async function written(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return text.trim();
    await new Promise((go) => setImmediate(go));
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a command', () => {
  test('gets its arguments as they are, its variables, and none of our secrets', async () => {
    const folder = tempFolder();
    vi.stubEnv('HOLDFAST_PASSWORD', 'secret one');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret two');
    const out = join(folder, 'out');
    const script = join(folder, 'hook');
    await writeFile(script, `#!/bin/sh\nprintf '%s|' "$@" "$HOLDFAST_SERVER" > ${out}\nenv >> ${out}\n`, { mode: 0o755 });
    await runCommand([script, '$(id)', 'a b', '*'], { ...patient, environment: { HOLDFAST_SERVER: 'survival' } });
    const text = await readFile(out, 'utf8');
    expect(text.startsWith('$(id)|a b|*|survival|')).toBe(true);
    expect(text).not.toContain('secret');
  });

  test('sees no variable that opens a backup place, of whatever provider', async () => {
    const folder = tempFolder();
    const variables = Object.values(providerSecrets).flatMap((secrets) => secrets.map(({ env }) => env));
    for (const name of [...variables, 'AWS_CONTAINER_AUTHORIZATION_TOKEN']) vi.stubEnv(name, `planted in ${name}`);
    vi.stubEnv('LEVEL_NAME', 'the hook may need it');
    const out = join(folder, 'out');
    await runCommand(shell(`env > '${out}'`), patient);
    const seen = (await readFile(out, 'utf8')).split('\n');
    expect(variables).toContain('B2_APPLICATION_KEY');
    expect(seen.filter((line) => line.includes('planted'))).toEqual([]);
    expect(seen).toContain('LEVEL_NAME=the hook may need it');
  });

  test('a status that is not 0 is a fault with what it wrote last', async () => {
    await expect(runCommand(shell('echo no such world >&2; exit 3'), patient)).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('no such world') as string,
      context: { status: 3 },
    });
    await expect(runCommand(shell('kill -9 $$'), patient)).rejects.toMatchObject({ context: { signal: 'SIGKILL' } });
  });

  test('a secret that what is kept of its words begins in the middle of is hidden, or not there', async () => {
    const hide = redactor();
    hide.register('correct horse battery staple');
    const said = async (script: string): Promise<string> =>
      await runCommand(shell(script), { ...patient, redact: hide.text }).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      );
    // All but the first letters of it are among the last 2,000.
    const short = await said(`printf 'correct horse battery staple' >&2; head -c 1985 /dev/zero | tr '\\0' x >&2; exit 1`);
    expect(short).toContain('xxx');
    expect(short).not.toMatch(/horse|battery|staple/);
    const long = await said(
      `printf 'correct-horse-battery-staple' >&2; head -c 65520 /dev/zero | tr '\\0' x >&2; echo ' the end' >&2; exit 1`,
    );
    expect(long).toMatch(/the end$/);
    expect(long).not.toMatch(/horse|battery|staple/);
  });

  test('one that is not there is config-invalid', async () => {
    expect(await codeOf(runCommand(['/nowhere/at-all'], patient))).toBe('config-invalid');
    expect(await codeOf(runCommand(['/etc/passwd'], patient))).toBe('config-invalid');
  });

  test('one that takes too long ends with all that it started, also when it does not want to', async () => {
    const pids = join(tempFolder(), 'pids');
    const clock = fakeClock();
    const outcome = codeOf(
      runCommand(shell(`trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $$ $! > ${pids}; wait; wait`), {
        clock,
        timeoutMs: 60_000,
      }),
    );
    const [own, other] = (await written(pids)).split(' ').map(Number);
    await clock.advance(60_000);
    expect(lives(own ?? 0)).toBe(true);
    await clock.advance(5_000);
    expect(await outcome).toBe('timeout');
    while (lives(other ?? 0)) await new Promise((go) => setImmediate(go));
  });

  test('it can be called off, and what it left in the background keeps nobody waiting', async () => {
    const controller = new AbortController();
    const ready = join(tempFolder(), 'ready');
    const outcome = codeOf(runCommand(shell(`echo on > ${ready}; exec sleep 1000`), { ...patient, signal: controller.signal }));
    await written(ready);
    controller.abort();
    expect(await outcome).toBe('cancelled');
    const left = join(tempFolder(), 'left');
    await runCommand(shell(`sleep 600 & echo $! > ${left}; exit 0`), patient);
    process.kill(Number(await written(left)));
  });
});

// Programs of their names write down how they were called; what a real systemd does then is in tests/e2e/systemd-quiesce.test.ts.
test.each<readonly [QuiesceSettings, readonly string[]]>([
  [
    { kind: 'systemd', unit: 'minecraft@survival.service', user: false },
    [
      'systemctl --system --no-ask-password stop -- minecraft@survival.service',
      'systemctl --system --no-ask-password start -- minecraft@survival.service',
    ],
  ],
  [
    { kind: 'systemd', unit: '-x', user: true },
    ['systemctl --user --no-ask-password stop -- -x', 'systemctl --user --no-ask-password start -- -x'],
  ],
  [{ kind: 'docker', container: 'mc' }, ['docker stop -t 120 -- mc', 'docker start -- mc']],
])('a server is stopped and started by whoever runs it: %j', async (settings, calls) => {
  const folder = tempFolder();
  const log = join(folder, 'log');
  for (const name of ['systemctl', 'docker']) {
    await writeFile(join(folder, name), `#!/bin/sh\necho ${name} "$@" >> ${log}\n`, { mode: 0o755 });
  }
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  const quiesce = await openQuiesce(settings, systemClock, () => Promise.reject(new Error('no password is needed')));
  const { signal } = new AbortController();
  await quiesce.pause(signal);
  await quiesce.resume();
  expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(calls);
  await quiesce.stop?.(signal);
  await quiesce.start?.();
  expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual([...calls, ...calls]);
});

test.each([
  ['systemctl', 'LoadState=loaded\\nActiveState=active', true],
  ['systemctl', 'LoadState=loaded\\nActiveState=reloading', true],
  ['systemctl', 'LoadState=loaded\\nActiveState=activating', true],
  ['systemctl', 'LoadState=loaded\\nActiveState=deactivating', true],
  ['systemctl', 'LoadState=loaded\\nActiveState=inactive', false],
  ['systemctl', 'LoadState=loaded\\nActiveState=failed', false],
  ['systemctl', 'LoadState=masked\\nActiveState=inactive', false],
  ['docker', 'true', true],
  ['docker', 'false', false],
])('%s that says %s: running is %s', async (program, says, running) => {
  const folder = tempFolder();
  const log = join(folder, 'log');
  await writeFile(join(folder, program), `#!/bin/sh\necho "$@" >> ${log}\nprintf '${says}\\n'\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  const settings: QuiesceSettings =
    program === 'docker' ? { kind: 'docker', container: 'mc' } : { kind: 'systemd', unit: 'mc.service', user: false };
  const quiesce = await openQuiesce(settings, systemClock, () => Promise.reject(new Error('no password is needed')));
  expect(await quiesce.isRunning?.(new AbortController().signal)).toBe(running);
  expect((await readFile(log, 'utf8')).trim()).toBe(
    program === 'docker'
      ? 'inspect --format {{.State.Running}} -- mc'
      : '--system --no-ask-password show --property=LoadState,ActiveState -- mc.service',
  );
});
