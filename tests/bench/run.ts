/**
 * `npm run bench [-- FOLDER…] [--quick] [--huge]`: speed and memory beside programs that people would use instead, in the same sitting; with
 * --huge also objects of 20 GB in the clouds. Prints tables and, unless quick, writes docs/benchmarks.md. A missed goal is marked, never an error.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { measure } from '../../scripts/try/choose-folder.ts';
import { measureOneFile, measureRoundTrip, measureTenfold, restic } from './round-trip.ts';
import { cache, root, versionOf } from './run-command.ts';
import { cloudSection } from './cloud-section.ts';
import { pageSection } from './page.ts';
import { sectionOf } from './section.ts';
import { load, machine, oneFileRows, roundTripRows, tenfoldRows } from './table.ts';
import { idleRows, measureIdleService } from './service-idle.ts';
import { generatedTree, megabyteFiles } from './tree.ts';

const quick = process.argv.includes('--quick');
const rounds = quick ? 1 : 3;
const folders = process.argv
  .slice(2)
  .filter((argument) => !argument.startsWith('--'))
  .map((folder) => resolve(process.env['INIT_CWD'] ?? process.cwd(), folder));
const withRestic = versionOf(restic, ['version']) !== null;
const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const loadBefore = load();
mkdirSync(cache, { recursive: true });
tell('Making the generated trees (kept in .cache/bench) …');
const tree = generatedTree(cache, quick ? 'quick' : 'full');
const megabyteCount = quick ? 200 : 2000;
const megabytes = megabyteFiles(cache, megabyteCount);
// Whatever changed within the last minute counts as changed once more, and the unchanged run would not be one.
await sleep(Math.max(0, statSync(`${megabytes}.done`).ctimeMs + 62_000 - Date.now()));
if (!withRestic) tell('restic is not installed: nothing is compared with it (RESTIC=/path/to/restic names one).');

const sections: string[] = [];
for (const folder of [tree, ...folders]) {
  const size = measure(folder);
  if (size === null) throw new Error(`${folder} cannot be read`);
  const name = folder === tree ? 'Generated tree' : `Folder \`${basename(folder)}\``;
  const title = `## ${name}: ${(size.bytes / 1e9).toFixed(2)} GB in ${size.files.toLocaleString('en-US')} files`;
  tell(`\n${title}`);
  const found = measureRoundTrip(folder, rounds, withRestic, tell);
  const rows = [...roundTripRows(found)];
  if (folder === tree) {
    if (!quick) {
      tell('  ten times the tree, for its memory …');
      rows.push(...tenfoldRows({ backup: found.backupPeakBytes, restore: found.restorePeakBytes }, measureTenfold(tree)));
    }
    tell('  one file of many …');
    rows.push(...oneFileRows(measureOneFile(megabytes, megabyteCount)));
    tell('  a service that waits …');
    rows.push(...idleRows(await measureIdleService(quick ? 5 : 60)));
  }
  const section = sectionOf(title, rows);
  tell(section.slice(title.length));
  sections.push(section);
}
rmSync(join(cache, 'work'), { recursive: true, force: true });
tell('\nTransfers to clouds …');
sections.push(cloudSection({ quick, huge: process.argv.includes('--huge') }));
tell(`\n${sections.at(-1) ?? ''}`);
sections.push(await pageSection());
tell(`\n${sections.at(-1) ?? ''}`);

if (quick) tell('\nA quick run shows that the bench works; it says little about speed, and docs/benchmarks.md stays as it is.');
else {
  writeFileSync(
    join(root, 'docs', 'benchmarks.md'),
    `# Benchmarks

Made by \`npm run bench\`, on:

${machine(loadBefore)}

Each figure is the median of ${String(rounds)} rounds, whole processes, start included, warm cache, \`sync\` before each. The peer did the same work in the
same round: \`tar c | zstd -3 -T0 | openssl enc -aes-256-ctr -pbkdf2\` and the reverse, which neither authenticates nor checks anything, and
restic with a local repository. Peak memory is the largest resident set of the process, stalls are the longest delay of
the main thread's event loop, both the worst of all rounds. The generated tree is text, records and incompressible data, the same bytes on
every machine; "one 1 MB file" comes out of ${(megabyteCount / 1000).toFixed(0)} GB in ${megabyteCount.toLocaleString('en-US')} incompressible files. A missed goal is marked, not hidden.

${sections.join('\n')}
${readFileSync(join(import.meta.dirname, 'remarks.md'), 'utf8')}`,
  );
  tell('\nWritten to docs/benchmarks.md.');
}
