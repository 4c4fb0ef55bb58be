import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { accountOf } from '../../main/compose/sign-in.ts';
import { startOAuthServer, testClient } from '../support/clouds/oauth/server.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { fakeClock } from '../support/fake-clock.ts';

test('an account that never answers whose it is, is waited for a minute', async () => {
  const oauth = await startOAuthServer();
  const asked = Promise.withResolvers<null>();
  const front = createServer((request, response) => {
    if (!oauth.handle(request, response)) asked.resolve(null);
  });
  const clock = fakeClock();
  const env = { HOLDFAST_GOOGLE_ENDPOINT: `http://127.0.0.1:${String(await listening(front))}` };
  const keeping = { name: null, signedInAt: undefined, keep: () => Promise.resolve() };
  const account = accountOf(
    env,
    { provider: 'google-drive', folder: 'Backups', clientId: testClient.id },
    { refreshToken: oauth.issue() },
    keeping,
    new AbortController().signal,
    clock,
  ).catch((error: unknown) => error);
  await asked.promise;
  await clock.advance(60_000);
  expect(await account).toMatchObject({ code: 'timeout', message: 'Google did not answer within a minute' });
  await closed(front);
  await oauth.close();
});
