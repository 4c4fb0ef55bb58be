import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { builtInClient, type BuiltInClient } from '../../main/compose/built-in-client.ts';
import { prepareSignIn, type PreparedSignIn } from '../../main/compose/sign-in.ts';
import { tempFolder } from '../support/temp-folder.ts';

const request = (clientId?: string): Parameters<typeof prepareSignIn>[1] => ({
  settings: { provider: 'google-drive', folder: 'Backups', ...(clientId === undefined ? {} : { clientId }) },
  kept: { secrets: {}, clientId: '' },
  signal: new AbortController().signal,
});

function builtWith(signIn: unknown): URL {
  const file = join(tempFolder(), 'package.json');
  writeFileSync(file, JSON.stringify({ name: 'holdfast', ...(signIn === undefined ? {} : { signIn }) }));
  return pathToFileURL(file);
}

async function signInWith(
  builtIn: BuiltInClient | undefined,
  env: Readonly<Record<string, string>>,
  own?: string,
): Promise<{ readonly id: string | null } & Pick<PreparedSignIn, 'settings' | 'clientSecrets'>> {
  const { begun, settings, clientSecrets } = await prepareSignIn(env, request(own), () => builtIn);
  const id = new URL(begun.link).searchParams.get('client_id');
  await begun.close();
  return { id, settings, clientSecrets };
}

test('the sources bring no client', () => {
  expect([builtInClient('google-drive'), builtInClient('dropbox')]).toEqual([undefined, undefined]);
});

test('a build brings what its package.json says', () => {
  const file = builtWith({ 'google-drive': { clientId: 'of-the-build', clientSecret: 'told' } });
  expect([builtInClient('google-drive', file), builtInClient('dropbox', file)]).toEqual([
    { clientId: 'of-the-build', clientSecret: 'told' },
    undefined,
  ]);
});

test('the sign-in is tied to the client of the build where nobody names one, and to one’s own otherwise', async () => {
  const builtIn = { clientId: 'of-the-build', clientSecret: 'told' };
  expect(await signInWith(builtIn, {})).toMatchObject({
    id: 'of-the-build',
    settings: { clientId: 'of-the-build' },
    clientSecrets: { clientSecret: 'told' },
  });
  expect(await signInWith(builtIn, { HOLDFAST_GOOGLE_CLIENT_ID: 'of-the-environment' })).toMatchObject({
    id: 'of-the-environment',
    clientSecrets: {},
  });
  expect(await signInWith(builtIn, {}, 'my-own')).toMatchObject({ id: 'my-own', settings: { clientId: 'my-own' }, clientSecrets: {} });
  await expect(signInWith(undefined, {})).rejects.toMatchObject({ code: 'config-invalid', context: { say: 'client-needed' } });
});
