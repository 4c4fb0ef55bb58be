import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { closed, listening } from '../support/clouds/serve.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const trace = pathToFileURL(join(import.meta.dirname, '..', 'support', 'module-trace.mjs')).href;
/** What a provider or a keyring needs, and nothing else does. */
const costly = ['@aws-sdk', '@smithy', 'googleapis', '@googleapis', 'google-auth-library', 'gaxios', 'dropbox', 'keytar', 'electron'];

/** Runs the real command and gives the packages that it and its threads have loaded. */
async function packagesOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliRun & { packages: Set<string> }> {
  const base = tempFolder();
  const file = join(base, 'trace');
  mkdirSync(join(base, 'world'));
  writeFileSync(join(base, 'world', 'level.dat'), 'blocks');
  const run = await runCli(args, {
    cwd: base,
    env: {
      ...{ HOLDFAST_PASSWORD: 'correct horse battery', HOLDFAST_STATE_DIR: join(base, 'state') },
      ...{ NODE_OPTIONS: `--import=${trace}`, MODULE_TRACE: file, ...env },
    },
  });
  const urls = readFileSync(file, 'utf8').trim().split('\n');
  expect(urls.some((url) => url.endsWith('main/headless/cli.ts'))).toBe(true);
  const named = urls.map((url) => /.*\/node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(url)?.[1] ?? '');
  return { ...run, packages: new Set(named.filter((name) => name !== '')) };
}

const costlyOf = (packages: ReadonlySet<string>): string[] =>
  [...packages].filter((name) => costly.some((one) => name === one || name.startsWith(`${one}/`)));

test.each([
  ['--version', ['--version']],
  ['help', ['help']],
  ['a backup into a folder', ['backup', 'world', '-d', 'folder:place']],
  ['the destinations by name', ['destination', 'list']],
])('%s loads no SDK and no keyring', async (_, args) => {
  const { code, packages } = await packagesOf(args);
  expect([code, costlyOf(packages)]).toEqual([0, []]);
});

test('snapshots in S3 load its SDK, and that one alone', async () => {
  const server = createServer((_, response) => response.writeHead(403).end());
  const port = await listening(server);
  onTestFinished(() => closed(server));
  const { code, packages } = await packagesOf(['snapshots', '-d', `s3:bucket?endpoint=http://127.0.0.1:${port}`], {
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_PROFILE: '' },
  });
  expect(code).toBe(1);
  expect(packages).toContain('@aws-sdk/client-s3');
  expect(costlyOf(packages).filter((name) => !/^@(aws-sdk|smithy)\//.test(name))).toEqual([]);
});

test('snapshots in Google Drive load its SDK, and that one alone', async () => {
  const server = createServer(({ url = '' }, response) => {
    if (!url.startsWith('/token')) response.writeHead(403).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"token","expires_in":3600}');
  });
  const port = await listening(server);
  onTestFinished(() => closed(server));
  const { code, packages } = await packagesOf(['snapshots', '-d', 'google-drive:Backups'], {
    HOLDFAST_GOOGLE_ENDPOINT: `http://127.0.0.1:${port}`,
    ...{ HOLDFAST_GOOGLE_CLIENT_ID: 'id', HOLDFAST_GOOGLE_REFRESH_TOKEN: 'token' },
  });
  expect(code).toBe(1);
  expect(packages).toContain('@googleapis/drive');
  const itsOwn = /^(@googleapis\/|googleapis-common$|google-auth-library$|gaxios$)/;
  expect(costlyOf(packages).filter((name) => !itsOwn.test(name))).toEqual([]);
});
