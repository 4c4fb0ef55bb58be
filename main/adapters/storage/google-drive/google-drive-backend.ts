import type { Backend, BackendLimits } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { spaceCheck } from '../../../engine/storage/space-check.ts';
import type { TokenSource } from '../../oauth/token-source.ts';
import { accountOf } from './account.ts';
import { openApi } from './api.ts';
import { openFolders } from './folders.ts';
import { openIds } from './ids.ts';
import { listObjects } from './listing.ts';
import { removeObject, statObject, type Drive } from './objects.ts';
import { readPieces } from './read-object.ts';
import { resolveDrivePlace, type GoogleDriveOptions, type GoogleDriveSettings } from './settings.ts';
import { beginUpload, partMultiple } from './upload.ts';

/** A session takes its pieces one after the other; 5 TB are the most that a file may have. */
const limits: BackendLimits = { minPart: partMultiple, maxPart: 2 ** 30, partMultiple, maxParts: 1_000_000, parallelParts: 1 };

/** A destination in a folder of Google Drive. Nothing is sent, and the SDK not loaded, before the first call. */
export function googleDriveBackend(settings: GoogleDriveSettings, tokens: TokenSource, options: GoogleDriveOptions = {}): Backend {
  const place = resolveDrivePlace(settings, options);
  const api = openApi(place, tokens);
  const newId = openIds(api);
  const drive: Drive = { api, newId, folders: openFolders(api, newId) };
  return checkedCalls({
    info: {
      ...{ scheme: 'google-drive', label: place.label, limits, checksum: 'sha256' },
      ownChecks: [spaceCheck((call) => accountOf(api, call))],
    },
    stat: (key, call) => statObject(drive, key, 'stat', call),
    list: (prefix, call) => listObjects(drive, prefix, call),
    read: (key, call) => Promise.resolve(readPieces(drive, key, call?.range, call?.signal)),
    beginUpload: (key, call) => Promise.resolve(beginUpload(drive, key, call?.ifAbsent === true)),
    // Sessions cannot be listed, hold no space and end by themselves.
    openUploads: async function* () {},
    abandon: () => Promise.resolve(),
    remove: (key, call) => removeObject(drive, key, call),
  });
}
