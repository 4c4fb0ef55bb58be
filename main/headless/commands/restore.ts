import type { Command } from 'commander';
import { realPlace } from '../../compose/real-place.ts';
import { Fault } from '../../contract/faults.ts';
import type { DamagedFile, RestoreReport, ToldRestore } from '../../contract/reports.ts';
import { exitCodeOfReport, exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { printJson, printLine, printWarnings, warn } from '../output.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import { progressLine } from '../progress.ts';
import { count, formatDuration, formatSize } from '../units.ts';
import { append, given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';
import { takeUpLeft } from './with-service.ts';

interface Options extends DestinationOptions, ServerOption {
  readonly target: string;
  readonly include?: readonly string[];
  readonly replace?: boolean;
  readonly force?: boolean;
  readonly salvage?: boolean;
}

export function addRestore(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('restore')
    .summary('bring a snapshot back')
    .description(
      'Brings a snapshot back, whole or in part. Everything is checked in a staging folder first; only then it takes the place of the ' +
        'target, whose former content is kept for `holdfast undo`.',
    )
    .argument('<snapshot>', 'an id, a unique beginning of one, or latest')
    .requiredOption('--target <folder>', 'where to bring it back')
    .option('--include <pattern>', 'only what matches, in gitignore syntax; may be given several times', append)
    .option('--replace', 'the target is not empty and may be replaced')
    .option('--force', 'go on although a process uses the target, or a server is kept there')
    .option('--salvage', 'bring back all that is whole and list what is not');
  withDestination(withServer(command))
    .addHelpText('after', '\nExample:\n  holdfast restore latest -d folder:/mnt/backup --target /srv/survival --replace')
    .action(async (snapshot: string, options: Options) => {
      const target = pathArgument(host.cwd, options.target, '--target');
      if (options.replace === true && options.force !== true) await refuseRunning(host, snapshot, target);
      await takeUpLeft(host);
      const { engine, destination } = await openDestination(host, options);
      const request = {
        snapshot,
        target,
        include: options.include ?? [],
        replace: options.replace === true,
        force: options.force === true,
        salvage: options.salvage === true,
        ...given({ server: options.server }),
      };
      const progress = progressLine(host);
      const report = await engine
        .restore(destination, request, { signal: host.signal, onProgress: progress.onProgress })
        .finally(progress.finish);
      await printWarnings(host, report.warnings);
      const told: ToldRestore = { ...report, keptBytes: await keptBytes(host, report) };
      await (options.json === true ? printJson(host, told) : printReport(host, told));
      end(report.damaged.length > 0 ? exitCodes.warnings : exitCodeOfReport(report));
    });
}

/** This command stops nobody: what a server writes while its folder is exchanged would be lost, or lie between two states. */
async function refuseRunning(host: CliHost, snapshot: string, target: string): Promise<void> {
  // A restore needs no settings: where they cannot be read, nobody can say.
  const settings = await host
    .openSettings()
    .then((file) => file.read())
    .catch(() => null);
  const place = await realPlace(target);
  for (const { name, slug, folder, quiesce } of settings?.servers ?? []) {
    if (quiesce.kind === 'none' || (await realPlace(folder)) !== place) continue;
    throw new Fault('locked', `${target} is the folder of ${name}, which must be stopped before and started after (${quiesce.kind})`, {
      operation: 'restore',
      context: {
        ...{ target, server: slug },
        next: `Run: holdfast server restore ${slug} ${snapshot} --replace. Or stop it yourself, and add --force.`,
      },
    });
  }
}

async function printReport(host: CliHost, report: ToldRestore): Promise<void> {
  for (const file of report.damaged) await warn(host, damageText(file));
  const target = printable(report.target);
  await printLine(
    host,
    `Restored snapshot ${printable(report.id)} of ${printable(report.server)} to ${target}: ` +
      `${count(report.files, 'file')}, ${formatSize(report.bytes)} (${formatDuration(report.elapsedMs)})`,
  );
  const { fromTarget, fetchedBytes } = report;
  if (fromTarget.bytes > 0) {
    const there = `${wholeAndParts(fromTarget)}, ${formatSize(fromTarget.bytes)}`;
    await printLine(host, `${there} of it were there already and were copied; ${formatSize(fetchedBytes)} were fetched.`);
  }
  if (report.damaged.length > 0) await printLine(host, `${count(report.damaged.length, 'file')} could not be brought back whole.`);
  if (report.before !== null) {
    const size = report.keptBytes === null ? '' : ` (${formatSize(report.keptBytes)})`;
    await printLine(
      host,
      `The former content lies in ${printable(report.before)}${size}. To put it back: holdfast undo --target ${target}; to delete it: add --discard`,
    );
  }
}

function wholeAndParts({ files, parts }: RestoreReport['fromTarget']): string {
  const ofOthers = `parts of ${count(parts, 'file')}`;
  if (parts === 0) return count(files, 'file');
  return files === 0 ? ofOthers : `${count(files, 'file')} and ${ofOthers}`;
}

/** The restore is done by now: a size that cannot be told makes nothing fail. */
async function keptBytes(host: CliHost, { target, before }: RestoreReport): Promise<number | null> {
  if (before === null) return null;
  const kept = await host
    .openTargets()
    .then(({ undo }) => undo.list(target))
    .catch(() => []);
  return kept.find((one) => one.before === before)?.bytes ?? null;
}

/** `world/r.0.0.mca: bytes 0 to 4,095 are lost`. */
export function damageText({ path, ranges }: DamagedFile): string {
  const lost = ranges.map(([offset, length]) => `${offset.toLocaleString('en-US')} to ${(offset + length - 1).toLocaleString('en-US')}`);
  return lost.length === 0 ? `${path}: lost` : `${path}: bytes ${lost.join(', ')} are lost`;
}
