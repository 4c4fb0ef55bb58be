/**
 * `npm run clouds`: the strict servers of the tests, kept running on loopback until Ctrl-C. For each it prints a line of JSON: `provider`, the
 * `destination` for -d, the `env` that it needs, and a section for rclone's configuration (`rclone`; `rcloneProxy` is the HTTPS_PROXY and
 * --ca-cert with which rclone finds Google and Dropbox here). Everything they hold is gone afterwards.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startConnectProxy } from '../tests/support/clouds/connect-proxy.ts';
import { startB2Server, rcloneSection as b2Section } from '../tests/support/clouds/backblaze-b2/server.ts';
import { dropboxHosts, rcloneSection as dropboxSection, startDropboxServer } from '../tests/support/clouds/dropbox/server.ts';
import { driveHosts, rcloneSection as driveSection, startDriveServer } from '../tests/support/clouds/google-drive/server.ts';
import { startOAuthServer, testClient } from '../tests/support/clouds/oauth/server.ts';
import { closed, listening } from '../tests/support/clouds/serve.ts';
import { provideDebianPackages } from './tests/debian.ts';
import { provideUnpacked } from './tests/unpacked.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-clouds-'));
const closers: (() => Promise<void> | void)[] = [];
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const placeFor = (name: string): string => {
  const place = join(folder, name);
  mkdirSync(place);
  return place;
};

/** Imported once it has been provided: it looks for itself when it is. */
async function s3(): Promise<void> {
  const { startSwift, swiftKeys, swiftMissing } = await import('../tests/support/s3/swift.ts');
  const { makeBucket } = await import('../tests/support/s3/destinations.ts');
  if (swiftMissing !== '') {
    process.stderr.write(`No S3 server: ${swiftMissing}\n`);
    return;
  }
  const swift = await startSwift();
  closers.push(() => swift.stop());
  const bucket = await makeBucket(swift.endpoint);
  say({
    provider: 's3',
    destination: `s3:${bucket}/home?endpoint=${swift.endpoint}`,
    env: { AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId, AWS_SECRET_ACCESS_KEY: swiftKeys.secretAccessKey },
    rclone: {
      ...{ type: 's3', provider: 'Other', endpoint: swift.endpoint, region: 'us-east-1', force_path_style: 'true' },
      ...{ access_key_id: swiftKeys.accessKeyId, secret_access_key: swiftKeys.secretAccessKey },
    },
  });
}

async function b2(): Promise<void> {
  const server = await startB2Server({ folder: placeFor('b2') });
  closers.push(() => server.close());
  server.addBucket('my-backups');
  const keys = server.addKey();
  say({
    provider: 'backblaze-b2',
    destination: 'b2:my-backups/home',
    env: { HOLDFAST_B2_ENDPOINT: server.endpoint, B2_APPLICATION_KEY_ID: keys.keyId, B2_APPLICATION_KEY: keys.applicationKey },
    rclone: b2Section(server, keys),
  });
}

/** A cloud with a sign-in: its own server and the sign-in server behind one address, and a proxy for programs that know no other address. */
async function signedIn(
  provider: 'google-drive' | 'dropbox',
  names: { readonly endpoint: string; readonly clientId: string; readonly refreshToken: string },
): Promise<void> {
  const oauth = await startOAuthServer();
  const isDropbox = provider === 'dropbox';
  const started = { folder: placeFor(provider), authority: oauth };
  const dropbox = isDropbox ? await startDropboxServer(started) : null;
  const drive = isDropbox ? null : await startDriveServer(started);
  const handle: Handle = (request, response) => {
    if (!oauth.handle(request, response)) (dropbox ?? drive)?.handle(request, response);
  };
  const front = createServer(handle);
  const endpoint = `http://127.0.0.1:${await listening(front)}`;
  const proxy = await startConnectProxy(isDropbox ? dropboxHosts : driveHosts, handle);
  closers.push(async () => {
    await proxy.close();
    await closed(front);
    await (dropbox ?? drive)?.close();
    await oauth.close();
  });
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: oauth.issue(), client_id: testClient.id });
  const { access_token: token } = (await (await fetch(`${endpoint}/token`, { method: 'POST', body: form })).json()) as {
    readonly access_token: string;
  };
  say({
    provider,
    destination: `${provider}:Backups/home`,
    env: { [names.endpoint]: endpoint, [names.clientId]: testClient.id, [names.refreshToken]: oauth.issue() },
    rclone: drive === null ? dropboxSection(token) : driveSection(drive, token),
    rcloneProxy: { HTTPS_PROXY: proxy.url, caCert: proxy.caFile },
  });
}

async function stop(): Promise<void> {
  for (const close of closers.toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

await provideDebianPackages();
provideUnpacked();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
await s3();
await b2();
await signedIn('google-drive', {
  endpoint: 'HOLDFAST_GOOGLE_ENDPOINT',
  clientId: 'HOLDFAST_GOOGLE_CLIENT_ID',
  refreshToken: 'HOLDFAST_GOOGLE_REFRESH_TOKEN',
});
await signedIn('dropbox', {
  endpoint: 'HOLDFAST_DROPBOX_ENDPOINT',
  clientId: 'HOLDFAST_DROPBOX_APP_KEY',
  refreshToken: 'HOLDFAST_DROPBOX_REFRESH_TOKEN',
});
process.stderr.write('Running. Ctrl-C ends them and removes what they hold.\n');
