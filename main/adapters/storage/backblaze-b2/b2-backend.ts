import type { Backend, BackendLimits } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { openApi } from './api.ts';
import { cancelLargeFile } from './large-file.ts';
import { listObjects, listUploads, statObject } from './listing.ts';
import { readPieces } from './read-object.ts';
import { resolveB2Place, type B2Keys, type B2Options, type B2Settings } from './settings.ts';
import { parseToken } from './tokens.ts';
import { beginUpload, smallSize } from './upload.ts';
import { openUploadUrls } from './upload-urls.ts';
import { removeAll } from './versions.ts';

/** B2: "Large files". An account may ask for larger parts than these at least, but none is known to; it is checked. */
const limits: BackendLimits = { minPart: 5_000_000, maxPart: 5_000_000_000, partMultiple: 1, maxParts: 10_000, parallelParts: 4 };

/**
 * A destination in a bucket of Backblaze B2, by its native interface. Nothing is sent before the first call, and no two backends share a
 * connection or a token. Throws fault config-invalid for what cannot be a bucket.
 */
export function b2Backend(settings: B2Settings, keys: B2Keys, options: B2Options = {}): Backend {
  const place = resolveB2Place(settings, options);
  const api = openApi(place, keys);
  const urls = openUploadUrls(api, 'b2_get_upload_url', { bucketId: true });
  return checkedCalls({
    info: { scheme: 'b2', label: place.label, limits, checksum: 'sha1', checksumUpTo: smallSize },
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
