import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { patterned } from '../conformance/suite-support.ts';
import { startDropboxServer } from '../support/clouds/dropbox/server.ts';
import { startDriveServer } from '../support/clouds/google-drive/server.ts';
import { startOAuthServer, testClient } from '../support/clouds/oauth/server.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';

/*
 * The real command, killed while an archive is on its way. Neither provider lists sessions, so that nobody can end one that is left: what it holds is in no folder, counts for
 * nothing, and is forgotten by the provider after a week. In the account's folders nothing may be left.
 */

const base = mkdtempSync(join(tmpdir(), 'holdfast-sessions-kill-'));
const world = join(base, 'world');
beforeAll(() => {
  mkdirSync(world);
  writeFileSync(join(world, 'level.dat'), 'one');
  writeFileSync(join(world, 'region.mca'), patterned(40_000_000));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

interface Account {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Names of all files that somebody sees who looks into the account. */
  readonly files: () => readonly string[];
  readonly sessions: () => number;
  readonly close: () => Promise<void>;
}

const clouds = [
  {
    name: 'Google Drive',
    url: 'google-drive:backups',
    variables: ['HOLDFAST_GOOGLE_ENDPOINT', 'HOLDFAST_GOOGLE_CLIENT_ID', 'HOLDFAST_GOOGLE_REFRESH_TOKEN'],
    async start(folder: string, authority: Awaited<ReturnType<typeof startOAuthServer>>): Promise<Account> {
      const server = await startDriveServer({ folder, authority });
      const { state, handle } = server;
      return {
        ...{ handle, close: () => server.close(), sessions: () => [...state.sessions.values()].filter(({ done }) => done === null).length },
        files: () => [...state.items.values()].flatMap(({ name, content }) => (content === null ? [] : [name])),
      };
    },
    // Not those of the vault and other small objects, which go by sessions as well.
    isPart: ({ method, url = '', headers }: IncomingMessage) =>
      method === 'PUT' && url.includes('upload_id=') && Number(headers['content-length']) > 100_000,
  },
  {
    name: 'Dropbox',
    url: 'dropbox:backups',
    variables: ['HOLDFAST_DROPBOX_ENDPOINT', 'HOLDFAST_DROPBOX_APP_KEY', 'HOLDFAST_DROPBOX_REFRESH_TOKEN'],
    async start(folder: string, authority: Awaited<ReturnType<typeof startOAuthServer>>): Promise<Account> {
      const server = await startDropboxServer({ folder, authority });
      const { state, handle } = server;
      return {
        ...{ handle, close: () => server.close(), sessions: () => state.sessions.size },
        files: () => [...state.files.values()].map(({ display: path }) => path.slice(path.lastIndexOf('/') + 1)),
      };
    },
    isPart: ({ url = '' }: IncomingMessage) => /\/upload_session\/(append_v2|finish)$/.test(url),
  },
] as const;

describe.each(clouds)('$name', (cloud) => {
  const { url, variables, isPart } = cloud;
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  test.each([1, 2, 3])(
    'a backup that is killed at part %i of its archive leaves nothing in the account, and the next one is whole',
    async (nth) => {
      const oauth = await startOAuthServer();
      const account = await cloud.start(mkdtempSync(join(base, 'account-')), oauth);
      let [child, seen]: [ChildProcess | null, number] = [null, 0];
      const front = createServer((request, response) => {
        // Neither answered nor done.
        if (child !== null && isPart(request) && ++seen === nth) child.kill('SIGKILL');
        else if (!oauth.handle(request, response)) account.handle(request, response);
      });
      const address = `http://127.0.0.1:${String(await listening(front))}`;
      ends.push(
        () => oauth.close(),
        account.close,
        () => closed(front),
      );
      const [endpoint, clientId, refreshToken] = variables;
      const holdfast = (args: readonly string[], whileRunning?: (started: ChildProcess) => void): Promise<CliRun> =>
        runCli([...args, '-d', url, '--json'], {
          cwd: base,
          env: {
            ...{ HOLDFAST_PASSWORD: 'correct horse battery', HOLDFAST_STATE_DIR: join(base, 'state') },
            ...{ [endpoint]: address, [clientId]: testClient.id, [refreshToken]: oauth.issue() },
          },
          ...(whileRunning === undefined ? {} : { whileRunning }),
        });

      const killed = await holdfast(['backup', world], (started) => (child = started));
      expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL']);
      child = null;
      expect(account.sessions()).toBeGreaterThan(0);
      // The vault, and what goes with it.
      const before = account.files();
      expect(before.filter((name) => /\.(holdfast|sha256|manifest|partial)$/.test(name))).toEqual([]);

      const whole = await holdfast(['backup', world]);
      expect([whole.code, whole.stderr]).toEqual([0, '']);
      const { id } = JSON.parse(whole.stdout) as { readonly id: string };
      expect(account.files().toSorted()).toEqual([...before, `${id}.holdfast`, `${id}.holdfast.sha256`, `${id}.manifest`].toSorted());
      expect(await holdfast(['verify', 'all'])).toMatchObject({ code: 0, stderr: '' });
    },
  );
});
