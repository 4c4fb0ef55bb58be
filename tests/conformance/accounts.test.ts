import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import type { DestinationCheck } from '../../main/contract/reports.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { checkDestination } from '../../main/engine/storage/check-destination.ts';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { Refusal as DropboxRefusal } from '../support/clouds/dropbox/refusal.ts';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { Refusal as DriveRefusal } from '../support/clouds/google-drive/refusal.ts';

/** The checks of the destination test that found something wrong. */
async function wrongOf(backend: Backend): Promise<DestinationCheck[]> {
  const wrong: DestinationCheck[] = [];
  for await (const check of checkDestination(backend, { clock: systemClock, random: systemRandom })) if (!check.ok) wrong.push(check);
  return wrong;
}

const gib = 2 ** 30;

describe('an account of Google Drive, by the destination test', () => {
  let place: DrivePlace;
  beforeAll(async () => {
    place = await openDrivePlace();
  });
  afterAll(() => place.close());
  beforeEach(() => {
    place.server.refuse = () => null;
    place.server.state.quota = 2 ** 41;
  });

  test('right: nothing is wrong, and nothing is left', async () => {
    expect(await wrongOf(place.fresh())).toEqual([]);
    expect([...place.server.state.items.values()].filter(({ content }) => content !== null)).toEqual([]);
  });
  test('signed out', async () => {
    place.server.refuse = () => new DriveRefusal(401, 'authError');
    expect(await wrongOf(place.fresh())).toMatchObject([
      { name: 'write', message: expect.stringContaining('no longer connected'), next: expect.stringContaining('Sign in again') },
    ]);
  });
  test('read-only', async () => {
    place.server.refuse = (call) => (/^(POST|PATCH|DELETE)/.test(call) ? new DriveRefusal(403, 'insufficientPermissions') : null);
    expect(await wrongOf(place.fresh())).toMatchObject([
      { name: 'write', message: expect.stringContaining('no right'), next: expect.stringContaining('docs/setup/google-drive.md') },
    ]);
  });
  test('without the right to delete', async () => {
    place.server.refuse = (call) => (call.startsWith('DELETE') ? new DriveRefusal(403, 'insufficientFilePermissions') : null);
    expect(await wrongOf(place.fresh())).toMatchObject([
      {
        name: 'delete',
        message: expect.stringContaining('may not delete there'),
        next: expect.stringMatching(/prune does not.*google-drive\.md/),
      },
    ]);
  });
  test('nearly full, and full', async () => {
    const { state } = place.server;
    state.quota = state.used + gib / 2;
    expect(await wrongOf(place.fresh())).toMatchObject([{ name: 'space', message: expect.stringMatching(/nearly full: 5\d\d MiB/) }]);
    state.quota = state.used + 10;
    expect(await wrongOf(place.fresh())).toMatchObject([{ name: 'write', next: expect.stringContaining('trash') }]);
  });
});

describe('an account of Dropbox, by the destination test', () => {
  let place: DropboxPlace;
  beforeAll(async () => {
    place = await openDropboxPlace();
  });
  afterAll(() => place.close());
  beforeEach(() => {
    place.server.refuse = () => null;
    place.server.state.quota = 2 ** 41;
  });

  test('right: nothing is wrong, and nothing is left', async () => {
    expect(await wrongOf(place.fresh())).toEqual([]);
    expect(place.server.state.files.size).toBe(0);
  });
  test('signed out', async () => {
    place.server.refuse = () => new DropboxRefusal(401, ['invalid_access_token']);
    expect(await wrongOf(place.fresh())).toMatchObject([{ name: 'write', next: expect.stringContaining('Sign in again') }]);
  });
  test('read-only', async () => {
    place.server.refuse = (route) =>
      route.startsWith('files/upload') ? new DropboxRefusal(401, ['missing_scope'], { required_scope: 'files.content.write' }) : null;
    expect(await wrongOf(place.fresh())).toMatchObject([
      { name: 'write', message: expect.stringContaining('files.content.write'), next: expect.stringContaining('docs/setup/dropbox.md') },
    ]);
  });
  test('without the right to delete', async () => {
    place.server.refuse = (route) => (route === 'files/delete_v2' ? new DropboxRefusal(409, ['path_write', 'no_write_permission']) : null);
    expect(await wrongOf(place.fresh())).toMatchObject([
      {
        name: 'delete',
        message: expect.stringContaining('may not delete there'),
        next: expect.stringMatching(/prune does not.*dropbox\.md/),
      },
    ]);
  });
  test('nearly full, and full', async () => {
    const { state } = place.server;
    state.quota = state.used + gib / 2;
    expect(await wrongOf(place.fresh())).toMatchObject([{ name: 'space', message: expect.stringMatching(/nearly full: 5\d\d MiB/) }]);
    state.quota = state.used + 10;
    expect(await wrongOf(place.fresh())).toMatchObject([{ name: 'write', message: expect.stringContaining('no space left') }]);
  });
});
