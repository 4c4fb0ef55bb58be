/**
 * `cloud-server.ts PROVIDER FOLDER`: one of the tests' strict servers, in a process of its own, so that its memory and its work are not the
 * measured one's. What it stores lies in FOLDER. Prints where it is: a JSON line of `work` (cloud-work.ts) and, where rclone can be pointed at it
 * as it is, the `rclone` section. Ends with its standard input.
 */
import { rcloneSection, startB2Server } from '../support/clouds/backblaze-b2/server.ts';
import { startDropboxServer } from '../support/clouds/dropbox/server.ts';
import { startDriveServer } from '../support/clouds/google-drive/server.ts';
import { testTokens } from '../support/clouds/test-tokens.ts';
import type { CloudWork } from './cloud-work.ts';

const bucket = 'holdfast-bench';

interface Started {
  readonly work: CloudWork;
  readonly rclone?: Readonly<Record<string, string>>;
}

async function start(provider: string, folder: string): Promise<Started> {
  const authority = testTokens();
  const token = authority.current();
  switch (provider) {
    case 'backblaze-b2': {
      const server = await startB2Server({ folder });
      server.addBucket(bucket);
      // With a key for all buckets rclone would make this one once more.
      const keys = server.addKey({ buckets: [bucket] });
      return { work: { provider, endpoint: server.endpoint, bucket, keys }, rclone: rcloneSection(server, keys) };
    }
    case 'google-drive':
      return { work: { provider, endpoint: (await startDriveServer({ folder, authority })).endpoint, token } };
    case 'dropbox':
      return { work: { provider, endpoint: (await startDropboxServer({ folder, authority })).endpoint, token } };
    default:
      throw new Error(`there is no server of ${provider}`);
  }
}

const [provider = '', folder = ''] = process.argv.slice(2);
const started = await start(provider, folder);
process.stdout.write(`${JSON.stringify(started)}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
