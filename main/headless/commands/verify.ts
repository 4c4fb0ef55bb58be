import type { Command } from 'commander';
import type { Damage, VerifyReport } from '../../contract/reports.ts';
import { exitCodeOfReport, exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { painter, printJson, printLine, printWarnings, table } from '../output.ts';
import { printable } from '../printable.ts';
import { progressLine } from '../progress.ts';
import { count, formatDuration, formatSize } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';
import { damageText } from './restore.ts';

/** Damaged files named one by one for each damaged object; the rest is counted, and all are in the JSON document. */
const maxFilesShown = 20;

export function addVerify(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('verify')
    .summary('check that snapshots can be brought back')
    .description('Reads and checks everything that the snapshots need. Damage is named: which snapshot, which file, which bytes.')
    .argument('[snapshot]', 'an id, a unique beginning of one, latest, or all', 'all')
    .option('--quick', 'check presence, size, checksum files and what was found damaged before; archives are not read');
  withDestination(withServer(command))
    .addHelpText('after', '\nExample:\n  holdfast verify latest -d folder:/mnt/backup')
    .action(async (snapshot: string, options: DestinationOptions & ServerOption & { readonly quick?: boolean }) => {
      const { engine, destination } = await openDestination(host, options);
      const request = { snapshot, quick: options.quick === true, ...given({ server: options.server }) };
      const progress = progressLine(host);
      const report = await engine
        .verify(destination, request, { signal: host.signal, onProgress: progress.onProgress })
        .finally(progress.finish);
      await printWarnings(host, report.warnings);
      await (options.json === true ? printJson(host, report) : printReport(host, report));
      end(isDamaged(report) ? exitCodes.damaged : exitCodeOfReport(report));
    });
}

function isDamaged(report: VerifyReport): boolean {
  return report.damage.length > 0 || report.snapshots.some(({ ok }) => !ok);
}

async function printReport(host: CliHost, report: VerifyReport): Promise<void> {
  const paint = painter(host.stdout, host.env);
  const rows = report.snapshots.map(({ ok, id, server, files, bytes }) => [
    ok ? paint('green', 'ok     ') : paint('red', 'DAMAGED'),
    printable(id),
    printable(server),
    `${count(files, 'file')}, ${formatSize(bytes)}`,
  ]);
  const [, ...lines] = table([{ title: '' }, { title: '' }, { title: '' }, { title: '' }], rows);
  for (const line of lines) await printLine(host, line);
  for (const damage of report.damage) await printDamage(host, damage);
  await printLine(host, outcome(report));
}

function outcome(report: VerifyReport): string {
  const took = `(${formatDuration(report.elapsedMs)})`;
  const bad = report.snapshots.filter(({ ok }) => !ok).length;
  if (bad > 0)
    return [`${count(bad, 'snapshot')} of ${report.snapshots.length.toLocaleString('en-US')} damaged ${took}.`, ...waysBack(report)].join(
      ' ',
    );
  const whole = `${count(report.snapshots.length, 'snapshot')} checked, no damage found`;
  return report.damage.length > 0 ? `${whole} in them ${took}. What is named above is repaired by the next backup.` : `${whole} ${took}`;
}

/** What helps, by what is damaged: of a classic file nothing is whole, and of what a manifest names no more than can be read of it. */
function waysBack({ damage: all, snapshots }: VerifyReport): readonly string[] {
  const bad = new Set(snapshots.filter(({ ok }) => !ok).map(({ id }) => id));
  const damage = all.filter(({ snapshot }) => bad.has(snapshot));
  const isClassic = ({ object }: Damage): boolean => object.includes('.zip.zst.enc');
  const isManifest = ({ object, kind }: Damage): boolean => object.endsWith('.manifest') && kind !== 'header' && kind !== 'files';
  const ways: string[] = [];
  if (damage.some((one) => !isClassic(one) && !isManifest(one)))
    ways.push('All that is whole can be brought back with: holdfast restore SNAPSHOT --salvage.');
  if (damage.some(isManifest))
    ways.push(
      'Where a manifest is damaged, holdfast restore SNAPSHOT --salvage brings back what can still be read of its list, if anything; “holdfast open” opens the archives themselves (docs/recovery.md, “Without the manifest”).',
    );
  if (damage.some(isClassic))
    ways.push('Nothing comes back of a classic file that is damaged; where its checksum file alone is, “holdfast open” opens it.');
  return ways;
}

async function printDamage(host: CliHost, damage: Damage): Promise<void> {
  const range =
    damage.range === undefined
      ? ''
      : `, bytes ${damage.range[0].toLocaleString('en-US')} to ${(damage.range[0] + damage.range[1] - 1).toLocaleString('en-US')}`;
  await printLine(host, printable(`${damage.snapshot}: ${damage.object}${range}: ${damage.kind}: ${damage.message}`));
  for (const file of damage.files.slice(0, maxFilesShown)) await printLine(host, `    ${printable(damageText(file))}`);
  const more = damage.files.length - maxFilesShown;
  if (more > 0) await printLine(host, `    and ${count(more, 'more file', 'more files')}; --json lists them all`);
}
