import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { openB2Place, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { Refusal as B2Refusal } from '../support/clouds/backblaze-b2/refusal.ts';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { Refusal as DropboxRefusal } from '../support/clouds/dropbox/refusal.ts';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { Refusal as DriveRefusal } from '../support/clouds/google-drive/refusal.ts';
import { get, put } from './suite-support.ts';

/** How long a provider asks to be left alone is read from its real reply, whichever way that came. */
const headers = { 'retry-after': '7' };

const clouds = [
  {
    name: 'Google Drive',
    open: openDrivePlace,
    refuse: ({ server }: DrivePlace, isIt: (call: string) => boolean, status: number) => {
      server.refuse = (_, { url = '' }) => (isIt(url) ? new DriveRefusal(status, 'rateLimitExceeded', headers) : null);
    },
    small: /uploadType=resumable/,
    read: /alt=media/,
  },
  {
    name: 'Dropbox',
    open: openDropboxPlace,
    refuse: ({ server }: DropboxPlace, isIt: (call: string) => boolean, status: number) => {
      server.refuse = (call) => (isIt(call) ? new DropboxRefusal(status, ['too_many_requests'], {}, headers) : null);
    },
    small: /^files\/upload/,
    read: /^files\/download$/,
  },
  {
    name: 'Backblaze B2',
    open: openB2Place,
    refuse: ({ server }: B2Place, isIt: (call: string) => boolean, status: number) => {
      server.refuse = (call) => (isIt(call) ? new B2Refusal(status, 'too_many_requests', 'slower', headers) : null);
    },
    small: /^b2_upload_file$/,
    read: /^b2_download/,
  },
] as const;

interface Place {
  fresh(): Backend;
  close(): Promise<void>;
}

describe.each(clouds)('$name', ({ open, refuse, small, read }) => {
  let place: Place & DrivePlace & DropboxPlace & B2Place;
  beforeAll(async () => {
    place = (await open()) as typeof place;
  });
  afterAll(() => place.close());

  test.each([429, 503])('with status %i', async (status) => {
    const backend = place.fresh();
    refuse(place, () => false, status);
    await put(backend, 'server/there', Buffer.from('x'));
    const asked = { code: 'rate-limited', retryAfterMs: 7_000 };
    for (const [isIt, work] of [
      [/./, () => backend.stat('server/there')],
      [small, () => put(backend, 'server/new', Buffer.from('x'))],
      [read, () => get(backend, 'server/there')],
    ] as const) {
      refuse(place, (call) => isIt.test(call), status);
      await expect(work(), String(isIt)).rejects.toMatchObject(asked);
    }
  });
});
