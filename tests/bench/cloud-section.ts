import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rcloneMissing } from '../support/clouds/rclone.ts';
import { swiftMissing } from '../support/s3/swift.ts';
import { cache } from './run-command.ts';
import { sectionOf } from './section.ts';
import type { Row } from './table.ts';

const title = '## Clouds, on servers of this computer';
const how = [
  'S3 is OpenStack Swift, the other servers are those of the tests, each in a process of its own. The peer is rclone 1.7x: of the rounds beside it, that with',
  'the middle ratio is told.',
].join('\n');

/** What `clouds.ts` measures, as a section. Where it cannot be measured the section says why. */
export function cloudSection({ quick, huge }: { readonly quick: boolean; readonly huge: boolean }): string {
  const missing = [swiftMissing, rcloneMissing('1.7x')].filter((reason) => reason !== '').join('; ');
  if (missing !== '') return leftOut(missing);
  const file = join(cache, 'clouds-rows.json');
  rmSync(file, { force: true });
  const flags = [...(quick ? ['--quick'] : []), ...(huge ? ['--huge'] : [])];
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'clouds.ts'), '--rows', file, ...flags], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // Its figures are not worth losing those of a quarter of an hour.
  if (status !== 0) return leftOut(`the transfers ended with ${String(status)}`);
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly Row[];
  rmSync(file);
  return sectionOf(`${title}\n\n${how}`, rows);
}

function leftOut(reason: string): string {
  return `${title}\n\nLeft out: ${reason}.\n`;
}
