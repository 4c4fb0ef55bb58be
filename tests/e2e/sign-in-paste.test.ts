import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testClient } from '../support/clouds/oauth/server.ts';
import { startSignInCloud, type SignInCloud } from '../support/clouds/sign-in-cloud.ts';
import { holdfast, runCli, type CliRun } from '../support/run-cli.ts';
import { hasTerminal, onTerminal } from '../support/terminal.ts';

const words = ['destination', 'sign-in', 'home', '--no-browser'];
const wrong = 'http://localhost/oops';
const said = 'That was not it: this is not the address that the browser ended on; it begins with http://127.0.0.1';

describe('a sign-in whose address is pasted', () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-sign-in-paste-'));
  let cloud: SignInCloud;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    cloud = await startSignInCloud('google-drive', join(base, 'cloud'));
    env = {
      HOLDFAST_STATE_DIR: join(base, 'state'),
      HOLDFAST_CONFIG_DIR: join(base, 'config'),
      HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame',
      HOLDFAST_GOOGLE_ENDPOINT: cloud.address,
      HOLDFAST_GOOGLE_CLIENT_ID: testClient.id,
      HOLDFAST_GOOGLE_CLIENT_SECRET: testClient.secret,
    };
    expect((await runCli(['destination', 'add', 'home', 'google-drive:Backups'], { env })).code).toBe(0);
  });
  afterAll(async () => {
    await cloud.close();
    rmSync(base, { recursive: true, force: true });
  });

  /** Without a terminal. `answer` gets the link and gives what is written to standard input; null ends it at once. */
  async function piped(answer: (link: string) => Promise<string | null>): Promise<CliRun> {
    return await runCli(words, {
      env,
      whileRunning: (child) => {
        let shown = '';
        child.stderr?.on('data', (piece: Buffer) => {
          const before = shown;
          shown += piece.toString();
          const link = /(http:\/\/\S+)\n/.exec(shown)?.[1];
          if (link === undefined || /(http:\/\/\S+)\n/.test(before)) return;
          answer(link).then(
            (lines) => child.stdin?.end(lines ?? ''),
            () => child.kill(),
          );
        });
      },
    });
  }
  const redirectOf = async (link: string): Promise<string> => (await fetch(link, { redirect: 'manual' })).headers.get('location') ?? '';

  test.skipIf(!hasTerminal)('on a terminal a wrong one is said and asked for again; the right one signs in', async () => {
    const { code, transcript, echoWhileAsked } = await onTerminal(
      [process.execPath, holdfast, ...words],
      [
        { expect: 'Paste the address here: ', send: `${wrong}\r` },
        { expect: 'Paste the address here: ', send: '\r' },
        { expect: 'Paste the address here: ', browse: true, send: '\r' },
      ],
      env,
    );
    expect([code, transcript]).toEqual([0, expect.stringContaining('person@example.org')]);
    expect(transcript.split(said)).toHaveLength(3);
    expect(echoWhileAsked).toEqual([false, false, false]);
    expect(transcript).not.toContain('planted');
  });

  test.skipIf(!hasTerminal)('on a terminal Ctrl-C at the question ends it at once', async () => {
    const { code } = await onTerminal(
      [process.execPath, holdfast, ...words],
      [{ expect: 'Paste the address here: ', send: '\u0003' }],
      env,
    );
    expect(code).toBe(130);
  });

  test('without a terminal it is a line of standard input, after a wrong one as well', async () => {
    const { code, stdout, stderr } = await piped(async (link) => `${wrong}\n\n${await redirectOf(link)}\n`);
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringContaining('person@example.org'),
      expect.stringMatching(/There is no terminal.*That was not it/s),
    ]);
  });

  test('input that ends with a wrong one fails with what is wrong', async () => {
    const { code, stderr } = await piped(() => Promise.resolve(wrong));
    expect([code, stderr]).toEqual([2, expect.stringContaining('this is not the address that the browser ended on')]);
  });

  test('without any input that is said, and a browser on this computer still ends it', async () => {
    const { code, stderr } = await runCli(words, {
      env,
      whileRunning: (child) => {
        child.stdin?.end();
        let shown = '';
        child.stderr?.on('data', (piece: Buffer) => {
          const before = shown;
          shown += piece.toString();
          if (!shown.includes('no address can be pasted') || before.includes('no address can be pasted')) return;
          fetch(/http:\/\/\S+/.exec(shown)?.[0] ?? '').catch(() => child.kill());
        });
      },
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining('Standard input has no line: no address can be pasted')]);
  });
});
