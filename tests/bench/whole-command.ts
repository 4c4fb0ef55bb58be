import { rmSync } from 'node:fs';
import { swiftKeys } from '../support/s3/swift.ts';
import { cache, fresh, holdfast } from './run-command.ts';
import type { Row } from './table.ts';
import { generatedTree } from './tree.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** The most that a whole backup to S3 and a whole restore from it hold, of `rounds` after one that warms up. */
export function wholeCommand(place: { readonly endpoint: string; readonly bucket: string }, size: 'quick' | 'full', rounds: number): Row[] {
  const tree = generatedTree(cache, size);
  const env = {
    AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: swiftKeys.secretAccessKey,
    // A machine that asks a cloud for keys must not do so here.
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const peaks = { backup: 0, restore: 0 };
  for (let round = 0; round <= rounds; round++) {
    const target = fresh('restored');
    const access = ['-d', `s3:${place.bucket}/whole-${String(round)}?endpoint=${place.endpoint}`];
    const backup = holdfast(['backup', tree, ...access, '--server', 'bench'], cache, env);
    const restore = holdfast(['restore', 'latest', ...access, '--target', target], cache, env);
    rmSync(target, { recursive: true });
    if (round === 0) continue;
    peaks.backup = Math.max(peaks.backup, backup.peakRssBytes);
    peaks.restore = Math.max(peaks.restore, restore.peakRssBytes);
  }
  return (['backup', 'restore'] as const).map((command) => ({
    what: `peak memory, the whole command, ${command === 'backup' ? 'backup to S3' : 'restore from S3'}`,
    ours: megabytes(peaks[command]),
    peer: '',
    result: megabytes(peaks[command]),
    goal: '≤ 250 MB',
    met: peaks[command] <= 250e6,
  }));
}
