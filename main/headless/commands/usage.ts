import type { Command } from 'commander';
import type { ServerUsage, SnapshotUsage, UsageReport } from '../../contract/look-reports.ts';
import { exitCodeOfReport } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, painter, printJson, printLine, printWarnings, table } from '../output.ts';
import { printable } from '../printable.ts';
import { snapshotLine } from '../progress.ts';
import { formatTime } from '../times.ts';
import { count, formatSize, parseSize } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

interface Options extends DestinationOptions, ServerOption {
  readonly cap?: string;
}

export function addUsage(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('usage')
    .summary('show what the snapshots take and how it grows')
    .description(
      'Shows for each server what its snapshots take, what each of them would free if it alone were removed, how the whole grows, and ' +
        'how large it will be. Nothing is changed.',
    )
    .option('--cap <size>', 'what the backup place may take, such as 500G: say when that is reached');
  withDestination(withServer(command))
    .addHelpText(
      'after',
      `
FREES is what would go if that snapshot alone were removed: its archives that no other one needs. What two
snapshots share goes with the second of them, so the column adds up to less than the whole.

Live is what some snapshot needs. Dead lies in archives that are still needed for other content; it goes with
the last snapshot that needs them. What no snapshot names is left of crashed runs: prune removes it after 48 hours.

The forecast takes what came in the last 30 days, and reckons as if nothing were removed.

Example:
  holdfast usage -d folder:/mnt/backup --server survival --cap 500G`,
    )
    .action(async (options: Options) => {
      const cap = options.cap === undefined ? undefined : parseSize(options.cap, '--cap', { min: 1, max: Number.MAX_SAFE_INTEGER });
      const { engine, destination } = await openDestination(host, options);
      const progress = snapshotLine(host);
      const report = await engine
        .usage(destination, given({ server: options.server, cap }), { signal: host.signal, onSnapshot: progress.onSnapshot })
        .finally(progress.finish);
      await printWarnings(host, report.warnings);
      await (options.json === true ? printJson(host, toJson(report)) : printReport(host, report));
      end(exitCodeOfReport(report));
    });
}

function toJson({ warnings, ...report }: UsageReport): Readonly<Record<string, unknown>> {
  return { ...report, ...(warnings.length === 0 ? {} : { warnings }) };
}

async function printReport(host: CliHost, report: UsageReport): Promise<void> {
  if (report.servers.length === 0) await note(host, 'There are no snapshots.');
  for (const server of report.servers) {
    await printServer(host, server);
    await printLine(host, '');
  }
  await printLine(host, `All of it: ${formatSize(report.storedBytes)}. ${forecastText(report)}`);
  if (report.cap !== undefined) await printLine(host, capText(report, report.cap, host.zone));
}

async function printServer(host: CliHost, server: ServerUsage): Promise<void> {
  const paint = painter(host.stdout, host.env);
  await printLine(host, paint('bold', `${printable(server.server)}: ${formatSize(server.storedBytes)} stored`));
  const parts = [
    ['live', server.liveBytes],
    ['dead in archives that are still needed', server.deadBytes],
    ['named by no snapshot', server.unnamedBytes],
    ['of unfinished runs', server.unfinishedBytes],
  ] as const;
  const told = parts.filter(([what, bytes]) => what === 'live' || bytes > 0).map(([what, bytes]) => `${formatSize(bytes)} ${what}`);
  await printLine(host, `  ${told.join(', ')}`);
  const columns = [
    { title: 'SNAPSHOT' },
    { title: 'TIME' },
    { title: 'SIZE', align: 'right' },
    { title: 'ADDED', align: 'right' },
    { title: 'FREES', align: 'right' },
    { title: 'STATE' },
  ] as const;
  const [head = '', ...lines] = table(
    columns,
    server.snapshots.map((row) => toCells(row, host.zone)),
  );
  await printLine(host, `  ${paint('bold', head)}`);
  for (const line of lines) await printLine(host, `  ${line}`);
  const [, ...steps] = table(
    [{ title: '' }, { title: '', align: 'right' }, { title: '', align: 'right' }],
    server.growth.map(({ period, addedBytes, storedBytes }) => [period, `+${formatSize(addedBytes)}`, formatSize(storedBytes)]),
  );
  await printLine(host, '  Growth:');
  for (const line of steps) await printLine(host, `  ${line}`);
}

function toCells(row: SnapshotUsage, zone: string): readonly string[] {
  return [
    printable(row.id),
    printable(formatTime(row.time, zone)),
    row.bytes === null ? '?' : formatSize(row.bytes),
    formatSize(row.ownBytes),
    formatSize(row.freedBytes),
    printable(stateText(row)),
  ];
}

function stateText({ state, damagedFiles, problem }: SnapshotUsage): string {
  if (state === 'whole') return '';
  const files = damagedFiles === 0 ? '' : `${count(damagedFiles, 'file')} cannot be restored`;
  return [state, files, problem ?? ''].filter((part) => part !== '').join(', ');
}

function forecastText({ forecast }: UsageReport): string {
  if (forecast === null) return 'There is no forecast before the first day is over.';
  const { bytesPerDay, in30Days, in90Days } = forecast;
  return `At ${formatSize(bytesPerDay)} a day it will be ${formatSize(in30Days)} in 30 days and ${formatSize(in90Days)} in 90.`;
}

function capText({ storedBytes, forecast }: UsageReport, { bytes, reachedAt }: NonNullable<UsageReport['cap']>, zone: string): string {
  if (storedBytes >= bytes) return `The ${formatSize(bytes)} are reached already.`;
  if (forecast === null) return `When the ${formatSize(bytes)} are reached cannot be told yet.`;
  if (reachedAt === null) return `At this rate the ${formatSize(bytes)} are never reached.`;
  return `The ${formatSize(bytes)} will be reached on ${formatTime(reachedAt, zone).slice(0, 10)}.`;
}
