import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes each: begun last, they would run alone at the end, with the other cores idle. */
const longest = [
  ...['readers-of-large', 'backup-kill', 'hostile-snapshots', 'swap-kill', 'nth-operation', 's3-faults'],
  ...['schedule-ten-years', 'systemd-quiesce', 'service', 'vault-backblaze-b2'],
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
