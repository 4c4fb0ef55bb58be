import type { Command } from 'commander';
import type { SnapshotRow } from '../../contract/reports.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { note, painter, printJson, printLine, table } from '../output.ts';
import { printable } from '../printable.ts';
import { formatTime } from '../times.ts';
import { formatSize } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

export function addSnapshots(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('snapshots')
    .summary('list the snapshots')
    .description(
      'Lists the snapshots of a destination, oldest first: what the run of each added, and how large the archives of earlier runs are that it ' +
        'rests on. Incomplete ones are told and never offered for restore.',
    );
  withDestination(withServer(command))
    .addHelpText('after', '\nExample:\n  holdfast snapshots -d folder:/mnt/backup --server survival')
    .action(async (options: DestinationOptions & ServerOption) => {
      const { engine, destination } = await openDestination(host, options);
      const rows = await engine.snapshots(destination, given({ server: options.server }), { signal: host.signal });
      if (options.json === true) await printJson(host, rows.map(toJson));
      else if (rows.length === 0) await note(host, 'There are no snapshots.');
      else {
        const [head = '', ...lines] = table(
          columns,
          rows.map((row) => toCells(row, host.zone)),
        );
        await printLine(host, painter(host.stdout, host.env)('bold', head));
        await printLine(host, lines.join('\n'));
      }
      end(exitCodes.done);
    });
}

const columns = [
  { title: 'SNAPSHOT' },
  { title: 'SERVER' },
  { title: 'TIME' },
  { title: 'FILES', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'ADDED', align: 'right' },
  { title: 'SHARES', align: 'right' },
  { title: 'STATE' },
] as const;

function toCells(row: SnapshotRow, zone: string): readonly string[] {
  return [
    printable(row.id),
    printable(row.server),
    printable(formatTime(row.time, zone)),
    row.files === null ? '?' : row.files.toLocaleString('en-US'),
    row.bytes === null ? '?' : formatSize(row.bytes),
    formatSize(row.storedBytes),
    row.sharedBytes === null ? '?' : row.sharedBytes === 0 ? '–' : formatSize(row.sharedBytes),
    state(row),
  ];
}

function state(row: SnapshotRow): string {
  const parts = [row.complete ? 'complete' : 'incomplete'];
  if (row.format === 'classic') parts.push('classic');
  if (row.pinned) parts.push(row.note === undefined || row.note === '' ? 'pinned' : `pinned: ${row.note}`);
  if (row.problem !== undefined) parts.push(row.problem);
  return printable(parts.join(', '));
}

/** The promised members first and always; the others only where they say something. */
function toJson(row: SnapshotRow): Readonly<Record<string, unknown>> {
  const { id, server, time, files, bytes, storedBytes, sharedBytes, complete, format, slug, pinned, note: text, problem } = row;
  return {
    ...{ id, server, time, files, bytes, storedBytes, sharedBytes, complete, format },
    ...given({ slug: slug === server ? undefined : slug, pinned: pinned ? true : undefined, note: text, problem }),
  };
}
