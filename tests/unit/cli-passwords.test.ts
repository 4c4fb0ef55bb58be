import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Credentials } from '../../main/engine/engine.ts';
import type { FakeHostOptions, FinishedRun } from '../support/cli-host.ts';
import { runWith } from '../support/cli-host.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Asked extends FinishedRun {
  readonly credentials: Credentials | null;
}

/** What reaches the engine from `holdfast snapshots` with these options; null when it never got there. */
async function credentialsOf(args: readonly string[], options: FakeHostOptions = {}): Promise<Asked> {
  let credentials: Credentials | null = null;
  const engine = {
    snapshots: (destination: { readonly credentials: Credentials }) => {
      ({ credentials } = destination);
      return Promise.resolve([]);
    },
  };
  const run = await runWith(['snapshots', '-d', `folder:${tempFolder()}`, ...args], { engine, ...options });
  return { ...run, credentials };
}

/** The same for a first backup: no vault is there. */
async function firstBackup(args: readonly string[], options: FakeHostOptions = {}): Promise<Asked> {
  let credentials: Credentials | null = null;
  const engine: FakeHostOptions['engine'] = {
    hasVault: () => Promise.resolve(false),
    backup: (destination) => {
      ({ credentials } = destination);
      return Promise.resolve({
        ...{
          outcome: 'written',
          id: 'id',
          server: 's',
          files: 1,
          bytes: 1,
          storedBytes: 1,
          archives: ['a'],
          kept: { files: 0, bytes: 0 },
          warnings: [],
          elapsedMs: 1,
        },
      });
    },
  };
  const run = await runWith(['backup', '/srv/x', '-d', `folder:${tempFolder()}`, ...args], { engine, ...options });
  return { ...run, credentials };
}

function fileWith(content: string | Uint8Array, mode = 0o600): string {
  const path = join(tempFolder(), 'secret');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const long = 'a long enough password';
const password = (text: string): Credentials => ({ kind: 'password', password: text });

describe('a password file', () => {
  it.each([
    ['loses one line end', `${long}\n`, long],
    ['loses one Windows line end', `${long}\r\n`, long],
    ['loses only one', `${long}\n\n`, `${long}\n`],
    ['keeps spaces', `  ${long} \t\n`, `  ${long} \t`],
    ['keeps a carriage return that ends no line', `${long}\r`, `${long}\r`],
    ['keeps several lines', `a\n${long}`, `a\n${long}`],
    ['keeps letters as they were typed, composed or not', 'Gru\u0308ße und Grüße', 'Gru\u0308ße und Grüße'],
  ])('%s', async (_, content, expected) => {
    const { credentials } = await credentialsOf(['--password-file', fileWith(content)]);
    expect(credentials).toEqual(password(expected));
  });

  it('may be a pipe that gives its bytes bit by bit', async () => {
    const pipe = join(tempFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', `printf 'first half '; sleep 0.05; printf 'second half\n'`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const sink = spawn('sh', ['-c', `cat > '${pipe}'`], { stdio: [writer.stdout, 'ignore', 'inherit'] });
    const { credentials } = await credentialsOf(['--password-file', pipe]);
    expect(credentials).toEqual(password('first half second half'));
    sink.kill();
  });

  it.each([
    ['not UTF-8', new Uint8Array([0x61, 0xff, 0x62]), /not valid UTF-8/],
    ['empty', '', /is empty/],
    ['only a line end', '\n', /is empty/],
    ['far too large', 'x'.repeat(65_537), /larger than 65536 bytes/],
  ])('that is %s is a configuration fault', async (_, content, message) => {
    const { exitCode, stderr, credentials } = await credentialsOf(['--password-file', fileWith(content)]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(credentials).toBeNull();
  });

  it('that is missing or a folder is a configuration fault that names it', async () => {
    const folder = tempFolder();
    const missing = await credentialsOf(['--password-file', join(folder, 'none')]);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain(`${folder}/none does not exist`);
    expect((await credentialsOf(['--password-file', folder])).exitCode).toBe(2);
  });

  it('that others may read works with a warning, and a closed one without', async () => {
    const open = await credentialsOf(['--password-file', fileWith(long, 0o640)]);
    expect(open.credentials).toEqual(password(long));
    expect(open.stderr).toMatch(/can be read by other users.*chmod 600/);
    expect((await credentialsOf(['--password-file', fileWith(long, 0o600)])).stderr).not.toContain('Warning');
  });

  it('is found from the current folder', async () => {
    const path = fileWith(long);
    const { credentials } = await credentialsOf(['--password-file', 'secret'], { cwd: join(path, '..') });
    expect(credentials).toEqual(password(long));
  });
});

describe('where the password comes from', () => {
  it('takes the file before the environment, and the environment before the prompt', async () => {
    const env = { HOLDFAST_PASSWORD: ' from the environment ' };
    const answers = ['from the prompt'];
    const file = await credentialsOf(['--password-file', fileWith('from the file')], { env, answers });
    expect(file.credentials).toEqual(password('from the file'));
    const environment = await credentialsOf([], { env, answers });
    expect(environment.credentials).toEqual(password(' from the environment '));
    expect(environment.questions).toEqual([]);
    const prompt = await credentialsOf([], { answers });
    expect(prompt.credentials).toEqual(password('from the prompt'));
    expect(prompt.questions).toHaveLength(1);
  });

  it('names the three ways when there is none and no terminal', async () => {
    const { exitCode, stderr } = await credentialsOf([]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--password-file.*HOLDFAST_PASSWORD.*terminal/);
  });

  it('refuses an empty one from anywhere', async () => {
    expect((await credentialsOf([], { env: { HOLDFAST_PASSWORD: '' }, answers: ['x'] })).exitCode).toBe(2);
    expect((await credentialsOf([], { answers: [''] })).exitCode).toBe(2);
  });

  it('hands over recovery keys as they stand, but not together with a password file', async () => {
    const keys = fileWith('KEY-ONE\nKEY-TWO\n');
    const env = { HOLDFAST_PASSWORD: long };
    expect((await credentialsOf(['--recovery-key-file', keys], { env })).credentials).toEqual({
      kind: 'recovery-key',
      text: 'KEY-ONE\nKEY-TWO\n',
    });
    const both = await credentialsOf(['--recovery-key-file', keys, '--password-file', keys]);
    expect(both.exitCode).toBe(2);
    expect(both.stderr).toContain('not both');
  });

  it('asks for none before it knows that the destination is there', async () => {
    const run = await runWith(['snapshots', '-d', 'folder:/no/such/place'], { answers: [long] });
    expect(run.exitCode).toBe(10);
    expect(run.questions).toEqual([]);
  });
});

describe('a new vault', () => {
  it('asks twice, and stops when the answers differ', async () => {
    const same = await firstBackup([], { answers: [long, long] });
    expect(same.questions).toHaveLength(2);
    expect(same.credentials).toEqual(password(long));
    const differing = await firstBackup([], { answers: [long, `${long} `] });
    expect(differing.exitCode).toBe(2);
    expect(differing.credentials).toBeNull();
  });

  it('warns of a short password but takes it, counted in characters', async () => {
    const short = await firstBackup([], { env: { HOLDFAST_PASSWORD: '🎮'.repeat(11) } });
    expect(short.credentials).not.toBeNull();
    expect(short.exitCode).toBe(0);
    expect(short.stderr).toMatch(/shorter than 12 characters/);
    expect((await firstBackup([], { env: { HOLDFAST_PASSWORD: '🎮'.repeat(12) } })).stderr).not.toMatch(/shorter/);
    expect((await credentialsOf([], { env: { HOLDFAST_PASSWORD: 'short' } })).stderr).not.toMatch(/shorter/);
  });
});

describe('a change of password', () => {
  const changed: string[] = [];
  const engine: FakeHostOptions['engine'] = {
    changePassword: (_, request) => {
      changed.push(request.newPassword);
      return Promise.resolve({ records: 1, newKey: request.newKey });
    },
  };

  it('takes the new one from a file, the environment or two prompts', async () => {
    const destination = `folder:${tempFolder()}`;
    const run = (args: readonly string[], options: FakeHostOptions) =>
      runWith(['password', '-d', destination, ...args], { engine, ...options });
    const env = { HOLDFAST_PASSWORD: 'old', HOLDFAST_NEW_PASSWORD: 'new from the environment' };
    expect((await run(['--new-password-file', fileWith('new from the file\n')], { env })).exitCode).toBe(0);
    expect((await run([], { env })).exitCode).toBe(0);
    const prompted = await run([], { answers: ['old', 'new from the prompt', 'new from the prompt'] });
    expect(prompted.questions).toHaveLength(3);
    expect((await run([], { answers: ['old', 'new from the prompt', 'something else'] })).exitCode).toBe(2);
    expect(changed).toEqual(['new from the file', 'new from the environment', 'new from the prompt']);
    const without = await run([], { env: { HOLDFAST_PASSWORD: 'old' } });
    expect(without.stderr).toMatch(/--new-password-file.*HOLDFAST_NEW_PASSWORD/);
  });
});

it('never prints a password', async () => {
  const secret = 'hunter2-hunter2-hunter2';
  const broken: FakeHostOptions['engine'] = { snapshots: () => Promise.reject(new Error('broken')) };
  for (const extra of [[], ['--json']]) {
    const run = await runWith(['snapshots', '-d', `folder:${tempFolder()}`, ...extra], {
      engine: broken,
      env: { HOLDFAST_PASSWORD: secret, HOLDFAST_DEBUG: '1' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.stdout + run.stderr).not.toContain(secret);
  }
});
