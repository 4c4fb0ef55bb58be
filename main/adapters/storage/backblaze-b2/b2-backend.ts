import type { Backend, BackendLimits } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { openApi, type B2Api } from './api.ts';
import { cancelLargeFile } from './large-file.ts';
import { listObjects, listUploads, statObject } from './listing.ts';
import { readPieces } from './read-object.ts';
import { resolveB2Place, type B2Keys, type B2Options, type B2Settings } from './settings.ts';
import { parseToken } from './tokens.ts';
import { beginUpload, smallSize } from './upload.ts';
import { openUploadUrls } from './upload-urls.ts';
import { removeAll } from './versions.ts';

/** B2: "Large files". */
const commonMinPart = 5_000_000;
/** For the parts of one upload that are in memory at once; four of 16 MiB and the one that fills take less. */
const partMemory = 100_000_000;

/**
 * B2: "Large files". An account may ask for larger parts than is common (absoluteMinimumPartSize); once it has told so, parts are that large, and fewer of
 * them under way.
 */
function limitsOf(api: B2Api): BackendLimits {
  return {
    get minPart() {
      return Math.max(commonMinPart, api.minPart() ?? 0);
    },
    ...{ maxPart: 5_000_000_000, partMultiple: 1, maxParts: 10_000 },
    get parallelParts() {
      return Math.max(1, Math.min(4, Math.floor(partMemory / this.minPart) - 1));
    },
  };
}

/**
 * A destination in a bucket of Backblaze B2, by its native interface. Nothing is sent before the first call, and no two backends share a
 * connection or a token. Throws fault config-invalid for what cannot be a bucket.
 */
export function b2Backend(settings: B2Settings, keys: B2Keys, options: B2Options = {}): Backend {
  const place = resolveB2Place(settings, options);
  const api = openApi(place, keys);
  const urls = openUploadUrls(api, 'b2_get_upload_url', { bucketId: true });
  return checkedCalls({
    info: { scheme: 'b2', label: place.label, limits: limitsOf(api), checksum: 'sha1', checksumUpTo: smallSize },
    stat: (key, call) => statObject(api, key, 'stat', call),
    list: (prefix, call) => listObjects(api, prefix, call),
    read: (key, call) => Promise.resolve(readPieces(api, key, call?.range, call?.signal)),
    beginUpload: (key, call) => beginUpload(api, urls, key, call),
    openUploads: (prefix, call) => listUploads(api, prefix, call),
    abandon: async (token, call) => {
      const upload = parseToken(token);
      if (upload !== null) await cancelLargeFile(api, upload.key, upload.fileId, 'abandon', call);
    },
    remove: (key, call) => removeAll(api, key, call),
  });
}
