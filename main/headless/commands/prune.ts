import type { Command } from 'commander';
import type { PruneReport } from '../../contract/reports.ts';
import { exitCodeOfReport } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { printJson, printLine, printWarnings, table } from '../output.ts';
import { printable } from '../printable.ts';
import { formatTime } from '../times.ts';
import { count, formatSize } from '../units.ts';
import { checkedZone, openDestination, readKeepRules, serverName, withDestination, withKeepRules } from './options.ts';
import type { DestinationOptions, KeepOptions } from './options.ts';

interface Options extends DestinationOptions, KeepOptions {
  readonly server: string;
  readonly zone?: string;
  readonly dryRun?: boolean;
  readonly takeOver?: boolean;
}

export function addPrune(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('prune')
    .summary('remove snapshots that need not be kept')
    .description('Removes the snapshots of one server that no rule keeps, and what crashed runs left. The last complete one always stays.')
    .requiredOption('--server <name>', 'the server', serverName)
    .option('--dry-run', 'only say what would be removed')
    .option('--take-over', 'become the owner of a server that another computer backed up');
  withDestination(withKeepRules(command))
    .addHelpText('after', '\nExample:\n  holdfast prune -d folder:/mnt/backup --server survival --keep-daily 7 --keep-weekly 4 --dry-run')
    .action(async (options: Options) => {
      const request = {
        server: options.server,
        policy: readKeepRules(options),
        zone: checkedZone(options.zone ?? host.zone),
        dryRun: options.dryRun === true,
        takeOver: options.takeOver === true,
      };
      const { engine, destination } = await openDestination(host, options);
      const report = await engine.prune(destination, request, { signal: host.signal });
      await printWarnings(host, report.warnings);
      await (options.json === true ? printJson(host, toJson(report)) : printReport(host, report, request));
      end(exitCodeOfReport(report));
    });
}

/** The promised members first and always; the others only where they say something. */
function toJson({ keep, remove, objects, freedBytes, warnings }: PruneReport): Readonly<Record<string, unknown>> {
  return {
    ...{ keep, remove },
    ...(objects.length === 0 ? {} : { objects, freedBytes }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** Times in the zone whose days and weeks were counted: in another the reasons would not fit them. */
async function printReport(
  host: CliHost,
  report: PruneReport,
  { dryRun, zone }: { readonly dryRun: boolean; readonly zone: string },
): Promise<void> {
  const time = (iso: string): string => printable(formatTime(iso, zone));
  const rows = [
    ...report.keep.map(({ id, time: at, reasons }) => ['keep', printable(id), time(at), printable(reasons.join(', '))]),
    ...report.remove.map(({ id, time: at }) => ['remove', printable(id), time(at), '']),
  ];
  const [, ...lines] = table([{ title: '' }, { title: '' }, { title: '' }, { title: '' }], rows);
  for (const line of lines) await printLine(host, line);
  const removed = `${count(report.remove.length, 'snapshot')}, ${count(report.objects.length, 'object')}, ${formatSize(report.freedBytes)}`;
  await printLine(host, dryRun ? `Would remove ${removed}; nothing was touched.` : `Removed ${removed}.`);
}
