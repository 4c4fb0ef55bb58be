import type { Backend, BackendLimits } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { spaceCheck } from '../../../engine/storage/space-check.ts';
import type { TokenSource } from '../../oauth/token-source.ts';
import { accountOf } from './account.ts';
import { openApi } from './api.ts';
import { listObjects } from './listing.ts';
import { statObject } from './metadata.ts';
import { readPieces } from './read-object.ts';
import { removeObject } from './remove-object.ts';
import { resolveDropboxPlace, type DropboxOptions, type DropboxSettings } from './settings.ts';
import { beginUpload } from './upload.ts';

const partMultiple = 4 * 1024 * 1024;

/** Dropbox: "at most 150 MB in one request", and multiples of 4 MiB are best. Parts go one after the other: a session has one end. */
const limits: BackendLimits = { minPart: partMultiple, maxPart: 35 * partMultiple, partMultiple, maxParts: 100_000, parallelParts: 1 };

/** A destination in a folder at Dropbox. Nothing is sent before the first call, and no two backends share a connection or a token. */
export function dropboxBackend(settings: DropboxSettings, tokens: TokenSource, options: DropboxOptions = {}): Backend {
  const place = resolveDropboxPlace(settings, options);
  const api = openApi(place, tokens);
  return checkedCalls({
    info: {
      ...{ scheme: 'dropbox', label: place.label, limits, checksum: 'dropbox' },
      ownChecks: [spaceCheck((call) => accountOf(api, call))],
    },
    stat: (key, call) => statObject(api, key, 'stat', call),
    list: (prefix, call) => listObjects(api, prefix, call),
    read: (key, call) => Promise.resolve(readPieces(api, key, call?.range, call?.signal)),
    beginUpload: (key, call) => Promise.resolve(beginUpload(api, key, call)),
    // Sessions cannot be listed, hold no space and end by themselves.
    openUploads: async function* () {},
    abandon: () => Promise.resolve(),
    remove: (key, call) => removeObject(api, key, call),
  });
}
