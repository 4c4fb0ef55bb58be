import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes each: begun last, they would run alone at the end, with the other cores idle. */
const longest = [
  ...['readers-of-large', 'swap-kill', 'hostile-snapshots', 'nth-operation', 'systemd-quiesce', 'damage-objects', 'page-clouds'],
  ...['sign-in', 'cli-whole-way', 's3-kill', 'backup-kill', 'vault-google-drive', 'destinations-by-name', 'tree-round-trip', 'page-s3'],
  ...['service-kill', 'snapshots', 's3-faults', 'service', 'schedule-ten-years', 'vault-backblaze-b2'],
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
