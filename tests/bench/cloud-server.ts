/**
 * `cloud-server.ts PROVIDER FOLDER`: one of the tests' strict servers, in a process of its own, so that its memory and its work are not the
 * measured one's. What it stores lies in FOLDER. Prints where it is: a JSON line of `work` (cloud-work.ts), of what a whole command needs and,
 * where rclone can be pointed at it as it is, the `rclone` section. Ends with its standard input.
 */
import { join } from 'node:path';
import { rcloneSection, startB2Server } from '../support/clouds/backblaze-b2/server.ts';
import { testClient } from '../support/clouds/oauth/server.ts';
import { startSignInCloud } from '../support/clouds/sign-in-cloud.ts';
import type { StrictCloud } from './strict-cloud.ts';

const bucket = 'holdfast-bench';

type Started = Omit<StrictCloud, 'peakBytes'>;

async function start(provider: string, folder: string): Promise<Started> {
  switch (provider) {
    case 'backblaze-b2': {
      const server = await startB2Server({ folder });
      server.addBucket(bucket);
      // With a key for all buckets rclone would make this one once more.
      const keys = server.addKey({ buckets: [bucket] });
      const env = { HOLDFAST_B2_ENDPOINT: server.endpoint, B2_APPLICATION_KEY_ID: keys.keyId, B2_APPLICATION_KEY: keys.applicationKey };
      const command = { before: `b2:${bucket}/`, env };
      return { work: { provider, endpoint: server.endpoint, bucket, keys }, command, rclone: rcloneSection(server, keys) };
    }
    case 'google-drive':
      return await signedIn(provider, folder, ['HOLDFAST_GOOGLE_ENDPOINT', 'HOLDFAST_GOOGLE_CLIENT_ID', 'HOLDFAST_GOOGLE_REFRESH_TOKEN']);
    case 'dropbox':
      return await signedIn(provider, folder, ['HOLDFAST_DROPBOX_ENDPOINT', 'HOLDFAST_DROPBOX_APP_KEY', 'HOLDFAST_DROPBOX_REFRESH_TOKEN']);
    default:
      throw new Error(`there is no server of ${provider}`);
  }
}

/** The cloud and its sign-in behind one address: a transfer comes with a token, a whole command gets its own. */
async function signedIn(provider: 'google-drive' | 'dropbox', folder: string, names: readonly [string, string, string]): Promise<Started> {
  const { oauth, address } = await startSignInCloud(provider, join(folder, 'kept'));
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: oauth.issue(), client_id: testClient.id });
  const reply = await fetch(`${address}/token`, { method: 'POST', body: form });
  const { access_token: token } = (await reply.json()) as { readonly access_token: string };
  const [endpoint, client, refresh] = names;
  const env = { [endpoint]: address, [client]: testClient.id, [refresh]: oauth.issue() };
  return { work: { provider, endpoint: address, token }, command: { before: `${provider}:Backups/`, env } };
}

const [provider = '', folder = ''] = process.argv.slice(2);
const started = await start(provider, folder);
process.stdout.write(`${JSON.stringify(started)}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
