import { openDrivePlace } from '../support/clouds/google-drive/place.ts';
import { driveHosts, rcloneSection } from '../support/clouds/google-drive/server.ts';
import { describeRclone } from '../support/clouds/rclone-proof.ts';
import { createHash } from 'node:crypto';

describeRclone('Google Drive', async () => {
  const place = await openDrivePlace();
  return {
    hosts: driveHosts,
    handle: place.server.handle,
    section: rcloneSection(place.server, place.tokens.current()),
    backend: place.fresh({ folder: 'Holdfast' }),
    folder: 'Holdfast',
    hash: { name: 'MD5', of: (bytes) => createHash('md5').update(bytes).digest('hex') },
    inPieces: ['--drive-chunk-size', '8M', '--drive-upload-cutoff', '8M'],
    flipBit: (key, offset) => place.server.flipBit(key.slice(key.lastIndexOf('/') + 1), offset),
    close: () => place.close(),
  };
});
