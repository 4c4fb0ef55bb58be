import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { B2Keys } from '../../main/adapters/storage/backblaze-b2/settings.ts';
import type { DestinationCheck } from '../../main/contract/reports.ts';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { Refusal } from '../support/clouds/backblaze-b2/refusal.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What `holdfast test` says of a key and an account, each in words of its own. */
describe('holdfast test, on the server of Backblaze B2', () => {
  let opened: B2Place | undefined;
  beforeAll(async () => {
    opened = await openB2Place();
  });
  afterAll(() => opened?.close());
  beforeEach(() => {
    place().server.refuse = () => null;
  });

  function place(): B2Place {
    if (opened === undefined) throw new Error('no server');
    return opened;
  }

  const tested = ({ keyId, applicationKey }: B2Keys, where = `b2:${testBucket}/tried`): Promise<CliRun> => {
    const cwd = tempFolder();
    return runCli(['test', where, '--json'], {
      cwd,
      env: {
        HOLDFAST_STATE_DIR: join(cwd, 'state'),
        HOLDFAST_B2_ENDPOINT: place().server.endpoint,
        B2_APPLICATION_KEY_ID: keyId,
        B2_APPLICATION_KEY: applicationKey,
      },
    });
  };

  async function crosses(keys: B2Keys, where?: string): Promise<readonly DestinationCheck[]> {
    const { code, stdout, stderr } = await tested(keys, where);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).not.toContain(keys.applicationKey);
    return (JSON.parse(stdout) as readonly DestinationCheck[]).filter(({ ok }) => !ok);
  }

  test('with all rights nothing is wrong, and of the space nothing is said, as B2 tells neither use nor quota', async () => {
    const { code, stdout } = await tested(place().server.addKey({ buckets: [testBucket], namePrefix: 'tried/' }));
    const checks = JSON.parse(stdout) as readonly DestinationCheck[];
    expect([code, checks.filter(({ ok }) => !ok)]).toEqual([0, []]);
    expect(checks.length).toBeGreaterThan(8);
    expect(checks.map(({ name }) => name)).not.toContain('space');
  });

  const readOnly = ['listBuckets', 'listFiles', 'readFiles'];

  test.each<readonly [string, (given: B2Place['server']) => B2Keys, string, RegExp, RegExp]>([
    [
      'whose secret half is wrong',
      (server) => ({ ...server.addKey(), applicationKey: 'K-this-is-not-it' }),
      'write',
      /the key id or the application key is not right, or the key was deleted \(bad_auth_token\)/,
      /Check both halves of the key/,
    ],
    [
      'that was deleted',
      (server) => {
        const keys = server.addKey();
        server.removeKey(keys.keyId);
        return keys;
      },
      'write',
      /the key id or the application key is not right, or the key was deleted \(bad_auth_token\)/,
      /make a new one/,
    ],
    [
      'that may only read',
      (server) => server.addKey({ capabilities: readOnly }),
      'write',
      /this application key has not the right writeFiles/,
      /Make an application key that has it/,
    ],
    [
      'that may not delete',
      (server) => server.addKey({ capabilities: [...readOnly, 'writeFiles'] }),
      'delete',
      /was not removed: this application key may not delete \(it has not the right deleteFiles\)/,
      /run prune where a key with deleteFiles is at hand/,
    ],
  ])('a key %s is told so', async (_, make, name, message, next) => {
    const found = await crosses(make(place().server));
    expect(found.map((check) => check.name)).toEqual([name]);
    expect(found[0]?.message).toMatch(message);
    expect(found[0]?.next).toMatch(next);
    expect(found[0]?.next).toContain('docs/setup/backblaze-b2.md');
  });

  test.each([
    ['storage_cap_exceeded', 'b2_upload_file', 'write', "the account's storage cap is reached (storage_cap_exceeded)"],
    [
      'transaction_cap_exceeded',
      'b2_list_file_names',
      'list',
      "the account's daily cap of transactions is reached (transaction_cap_exceeded)",
    ],
    [
      'download_cap_exceeded',
      'b2_download_file_by_name',
      'read',
      "the account's daily cap of downloads is reached (download_cap_exceeded)",
    ],
  ])('an account whose cap is reached, %s, is told which one', async (code, call, name, message) => {
    place().server.refuse = (asked) => (asked === call ? new Refusal(403, code) : null);
    const found = await crosses(place().server.addKey());
    expect(found[0]).toMatchObject({ name, message: expect.stringContaining(message) as string });
    expect(found[0]?.next).toMatch(/Raise the cap at Backblaze under “Caps & Alerts”/);
  });

  test('a place outside what the key may touch is told with the one that it may', async () => {
    const found = await crosses(place().server.addKey({ buckets: [testBucket], namePrefix: 'home/' }));
    expect(found.map(({ name, code }) => [name, code])).toEqual([['write', 'config-invalid']]);
    expect(found[0]?.message).toContain('names that begin with home/');
    expect(found[0]?.next).toContain(`b2:${testBucket}/home`);
  });
});
