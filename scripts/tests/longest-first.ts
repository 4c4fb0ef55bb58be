import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes each: begun last, they would run alone at the end, with the other cores idle. */
const longest = [
  ...['page-looks', 'readers-of-large', 'swap-kill', 'page-clouds', 'hostile-snapshots', 'service-kill'],
  ...['sign-in', 'damage-objects', 'going-on-kill', 'page-home', 'page-wizard-flow', 'backup-kill', 'nth-operation', 'systemd-quiesce'],
  ...[
    'setup-builds',
    'cli-whole-way',
    's3-kill',
    'vault-google-drive',
    'destinations-by-name',
    'tree-round-trip',
    'planted-secrets',
    'page-s3',
  ],
  ...['snapshots', 's3-faults', 'service', 'schedule-ten-years', 'vault-backblaze-b2'],
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
