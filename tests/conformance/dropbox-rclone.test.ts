import { createHash } from 'node:crypto';
import { describeRclone } from '../support/clouds/rclone-proof.ts';
import { openDropboxPlace } from '../support/clouds/dropbox/place.ts';
import { dropboxHosts, rcloneSection } from '../support/clouds/dropbox/server.ts';

const block = 4 * 1024 * 1024;

/** Dropbox: "Content hash". */
function contentHash(bytes: Uint8Array): string {
  const sums: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; at += block)
    sums.push(
      createHash('sha256')
        .update(bytes.subarray(at, at + block))
        .digest(),
    );
  return createHash('sha256').update(Buffer.concat(sums)).digest('hex');
}

describeRclone('Dropbox', async () => {
  const place = await openDropboxPlace();
  return {
    hosts: dropboxHosts,
    handle: place.server.handle,
    section: rcloneSection(place.tokens.current()),
    backend: place.fresh({ folder: 'Holdfast' }),
    folder: 'Holdfast',
    hash: { name: 'dropbox', of: contentHash },
    inPieces: ['--dropbox-chunk-size', '8M'],
    flipBit: (key, offset) => place.server.flipBit(`/Holdfast/${key}`, offset),
    close: () => place.close(),
  };
});
