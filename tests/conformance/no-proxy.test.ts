import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { refreshingTokens } from '../../main/adapters/oauth/refreshing-tokens.ts';
import { dropboxBackend } from '../../main/adapters/storage/dropbox/dropbox-backend.ts';
import { googleDriveBackend } from '../../main/adapters/storage/google-drive/google-drive-backend.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { checkDestination } from '../../main/engine/storage/check-destination.ts';
import { openB2Place } from '../support/clouds/backblaze-b2/place.ts';
import { testClient } from '../support/clouds/oauth/server.ts';
import { startSignInCloud } from '../support/clouds/sign-in-cloud.ts';
import { freePort } from '../support/free-port.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { onSwift, startSwift, swiftMissing } from '../support/s3/swift.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { collect } from './suite-support.ts';

afterEach(() => void vi.unstubAllEnvs());

/** Names of the checks that fail, from now on with a proxy in the environment at which nobody listens. */
async function failing(backend: Backend): Promise<readonly string[]> {
  const proxy = `http://127.0.0.1:${String(await freePort())}`;
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY']) {
    vi.stubEnv(name, proxy);
    vi.stubEnv(name.toLowerCase(), proxy);
  }
  vi.stubEnv('NO_PROXY', '');
  vi.stubEnv('no_proxy', '');
  const checks = await collect(checkDestination(backend, { clock: systemClock, random: systemRandom }));
  expect(checks.length).toBeGreaterThan(3);
  return checks.filter(({ ok }) => !ok).map(({ name, message }) => `${name}: ${message}`);
}

describe('a proxy in the environment is used for no cloud', () => {
  test.each([
    ['google-drive', googleDriveBackend],
    ['dropbox', dropboxBackend],
  ] as const)('%s, its sign-in too', async (provider, open) => {
    const cloud = await startSignInCloud(provider, join(tempFolder(), 'cloud'));
    onTestFinished(() => cloud.close());
    const tokens = refreshingTokens({
      provider,
      clientId: testClient.id,
      clientSecret: testClient.secret,
      refreshToken: cloud.oauth.issue(),
      endpoint: cloud.address,
      clock: systemClock,
    });
    expect(await failing(open({ folder: 'backups' }, tokens, { endpoint: cloud.address }))).toEqual([]);
  });

  test('backblaze-b2', async () => {
    const place = await openB2Place();
    onTestFinished(() => place.close());
    expect(await failing(place.fresh())).toEqual([]);
  });

  test.skipIf(swiftMissing !== '')(onSwift('s3'), async () => {
    const swift = await startSwift();
    onTestFinished(() => swift.stop());
    expect(await failing(freshPlace(swift.endpoint, await makeBucket(swift.endpoint)))).toEqual([]);
  });
});
