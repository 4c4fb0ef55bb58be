import { Option } from 'commander';
import type { Command } from 'commander';
import type { ArchiveFormat, BackupReport, WholeRule } from '../../contract/reports.ts';
import { presets } from '../../engine/presets.ts';
import { exitCodeOfReport } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { printJson, printLine, printWarnings } from '../output.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import { progressLine } from '../progress.ts';
import { parseTime } from '../times.ts';
import { count, formatDuration, formatSize, parseCount, parseSize } from '../units.ts';
import { append, given, openDestination, parseWhole, serverName, withDestination } from './options.ts';
import type { DestinationOptions } from './options.ts';
import { takeUpLeft } from './with-service.ts';

interface Options extends DestinationOptions {
  readonly server?: string;
  readonly exclude?: readonly string[];
  readonly preset?: string;
  readonly format: ArchiveFormat;
  readonly level: string;
  readonly volumeSize: string;
  readonly time?: string;
  readonly force?: boolean;
  readonly takeOver?: boolean;
  readonly whole?: boolean;
  readonly wholeEvery?: string;
  readonly ignoreInode?: boolean;
}

const volumeRange = { min: 64 * 1024, max: 1024 ** 4 };

export function addBackup(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('backup')
    .summary('back up a folder')
    .description('Turns a folder into a sealed snapshot in a destination. Where nothing has changed, nothing is written.')
    .argument('<folder>', 'the folder to back up; it is only read')
    .option('--server <name>', 'the name of the server (default: the name of the folder)', serverName)
    .option('--exclude <pattern>', 'leave out what matches, in gitignore syntax; may be given several times', append)
    .addOption(new Option('--preset <name>', 'leave out what this kind of server can do without').choices(Object.keys(presets)))
    .addOption(new Option('--format <format>', 'how it is stored').choices(['archive', 'classic']).default('archive'))
    .option('--level <n>', 'zstd level, 1 to 19', '3')
    .option('--volume-size <size>', 'begin a new volume after this much', '1G')
    .option('--time <iso>', 'the time of the snapshot (default: now)')
    .option('--force', 'write a snapshot even when nothing has changed')
    .option('--whole', 'a snapshot that rests on no earlier one')
    .option('--whole-every <days>', 'days after which one is whole again, “always” or “never” (default: 30)')
    .option('--ignore-inode', 'do not go by inode numbers, which some network file systems make up')
    .option('--take-over', 'become the owner of a server that another computer backed up');
  withDestination(command)
    .addHelpText('after', '\nExample:\n  holdfast backup /srv/survival -d folder:/mnt/backup --preset minecraft')
    .action(async (folder: string, options: Options) => {
      const request = {
        folder: pathArgument(host.cwd, folder, 'FOLDER'),
        excludes: options.exclude ?? [],
        format: options.format,
        level: parseCount(options.level, '--level', { min: 1, max: 19 }),
        volumeSize: parseSize(options.volumeSize, '--volume-size', volumeRange),
        force: options.force === true,
        takeOver: options.takeOver === true,
        ...given({
          server: options.server,
          preset: options.preset,
          whole: wholeRule(options),
          ignoreInode: options.ignoreInode,
          time: options.time === undefined ? undefined : parseTime(options.time, host.zone, '--time'),
        }),
      };
      await takeUpLeft(host);
      const { engine, destination } = await openDestination(host, options, true);
      const progress = progressLine(host);
      const report = await engine
        .backup(destination, request, { signal: host.signal, onProgress: progress.onProgress })
        .finally(progress.finish);
      await printWarnings(host, report.warnings);
      await (options.json === true ? printJson(host, report) : printLine(host, describe(report)));
      end(exitCodeOfReport(report));
    });
}

function wholeRule({ whole, wholeEvery }: Options): WholeRule | undefined {
  if (whole === true) return 'always';
  return wholeEvery === undefined ? undefined : parseWhole(wholeEvery, '--whole-every');
}

function describe(report: BackupReport): string {
  const of = `${printable(report.id)} of ${printable(report.server)}`;
  if (report.outcome === 'unchanged') {
    return `Nothing has changed since snapshot ${of}; no new one was written (--force writes one all the same).`;
  }
  const perSecond = formatSize(Math.round(report.bytes / Math.max(0.001, report.elapsedMs / 1000)));
  const { kept } = report;
  const whole = kept.files === 0 ? '' : `, ${count(kept.files, 'file')} as a whole,`;
  const rest = kept.files + kept.bytes === 0 ? '' : `; ${formatSize(kept.bytes)} of it${whole} were there already`;
  return (
    `Snapshot ${of}: ${count(report.files, 'file')}, ${formatSize(report.bytes)}${rest}; stored as ${formatSize(report.storedBytes)} ` +
    `in ${count(report.archives.length, 'archive')} (${formatDuration(report.elapsedMs)}, ${perSecond}/s)`
  );
}
