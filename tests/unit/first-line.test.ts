import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isWholeDue } from '../../main/engine/jobs/base.ts';
import { firstLineOf, maxArchives, maxFirstLine } from '../../main/engine/snapshots/manifest.ts';
import type { ManifestArchive, ManifestHeader } from '../../main/engine/snapshots/manifest.ts';

/** With the longest names that there are. */
function archives(count: number): readonly ManifestArchive[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `${'s'.repeat(63)}/20261129T000000Z-abcdefgh.${index + 1}.holdfast`,
    size: 2 ** 40,
    sha256: 'f'.repeat(64),
    head: randomBytes(148).toString('base64'),
    zipSize: 2 ** 40,
    frames: 2 ** 20,
  }));
}

function headerOf(count: number, warnings: ManifestHeader['warnings'] = []): ManifestHeader {
  return {
    ...{ holdfast: 'manifest', version: 1, id: '20261129T000000Z-abcdefgh', server: 'S', slug: 's'.repeat(63), machine: 'm', host: 'h' },
    ...{ time: '2026-11-29T00:00:00Z', root: '/srv', preset: null, excludes: [], hooks: [], warnings, archives: [...archives(count)] },
    totals: { entries: 1, files: 1, directories: 0, symlinks: 0, bytes: 1 },
  };
}

test('the most archives that a run may name have room beside the most that is told', () => {
  const told = [{ code: 'skipped', message: 'm'.repeat(2 ** 20) }];
  expect(firstLineOf(headerOf(maxArchives, told)).length).toBeLessThanOrEqual(maxFirstLine);
});

test('a first line that no reader would take is not written', () => {
  expect(() => firstLineOf(headerOf(1, [{ code: 'skipped', message: 'm'.repeat(maxFirstLine) }]))).toThrow(
    expect.objectContaining({ code: 'config-invalid' }),
  );
});

test('before there is no more room, a snapshot is whole, whatever the rule says', () => {
  const listing = { slug: 's', snapshots: [], probes: [] };
  const isDue = (count: number): boolean => isWholeDue({ header: headerOf(count) }, listing, 'never', Date.parse('2026-11-29T01:00:00Z'));
  expect([isDue(19_999), isDue(20_000)]).toEqual([false, true]);
});
