import { expect, test } from 'vitest';
import { askedAnew } from '../../main/headless/destination-keys.ts';
import type { CliHost } from '../../main/headless/host.ts';

const host = (env: Readonly<Record<string, string>>): CliHost => ({ env, askSecret: null }) as unknown as CliHost;

test('new keys take the place of all there were; a client’s new secret takes no sign-in away', async () => {
  expect(await askedAnew(host({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' }), 's3')).toEqual({
    accessKeyId: 'id',
    secretAccessKey: 'key',
    sessionToken: null,
  });
  expect(await askedAnew(host({ HOLDFAST_GOOGLE_CLIENT_SECRET: 'new' }), 'google-drive')).toEqual({ clientSecret: 'new' });
  expect(await askedAnew(host({ HOLDFAST_DROPBOX_REFRESH_TOKEN: 'new' }), 'dropbox')).toEqual({ appSecret: null, refreshToken: 'new' });
  expect(await askedAnew(host({}), 'dropbox')).toEqual({});
});
