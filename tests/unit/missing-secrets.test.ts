import { expect, test } from 'vitest';
import { composeTokens } from '../../main/compose/compose-tokens.ts';
import { needed } from '../../main/compose/destination-secrets.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { expectPage } from '../support/setup-page.ts';

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    return error as Fault;
  }
  throw new Error('it worked');
}

test.each(['keyId', 'applicationKey'])('without the %s of B2 the step names the variable and the page', (name) => {
  const fault = faultOf(() => needed({}, 'backblaze-b2', name, 'the environment'));
  expect(fault).toMatchObject({ code: 'unauthenticated', context: { next: expect.stringMatching(/^Set B2_APPLICATION_KEY.*b2:…/) } });
  expectPage(fault, 'docs/setup/backblaze-b2.md');
});

const tokensOf = (provider: 'google-drive' | 'dropbox', name: string | null): Fault =>
  faultOf(() =>
    composeTokens({ provider, folder: 'backups' }, {}, { HOLDFAST_GOOGLE_CLIENT_ID: 'id', HOLDFAST_DROPBOX_APP_KEY: 'key' }, { name }),
  );

test.each([
  ['google-drive', 'HOLDFAST_GOOGLE_REFRESH_TOKEN'],
  ['dropbox', 'HOLDFAST_DROPBOX_REFRESH_TOKEN'],
] as const)('without a sign-in a place at %s has a step that fits how it was given', (provider, variable) => {
  const byAddress = tokensOf(provider, null);
  expect(byAddress).toMatchObject({ code: 'sign-in-needed', context: { next: expect.stringContaining(`Set ${variable}, or`) } });
  expect(byAddress.context['next']).not.toContain('sign-in NAME');
  const byName = tokensOf(provider, 'mine');
  expect(byName.context['next']).toContain('“holdfast destination sign-in mine”');
  for (const fault of [byAddress, byName]) expectPage(fault, `docs/setup/${provider}.md`);
});
