import type { Command } from 'commander';
import type { DiffReport, DiffRow } from '../../contract/look-reports.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { printLine } from '../output.ts';
import { printable, printableJson } from '../printable.ts';
import { printJsonRows, printRows } from '../rows.ts';
import { count, formatSize } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

export function addDiff(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('diff')
    .summary('show what differs between two snapshots')
    .description(
      'Shows what differs between two snapshots of a server, by reading their lists of files side by side; nothing else is fetched. ' +
        'Content is compared by its checksum, so a file that was only touched counts as metadata.',
    )
    .argument('<before>', 'the earlier snapshot: an id, a unique beginning of one, or latest')
    .argument('<after>', 'the later snapshot');
  withDestination(withServer(command))
    .addHelpText(
      'after',
      `
Each line begins with what has happened to the path:
  +  added
  -  removed
  M  changed: other content, with its size before and after
  U  metadata only: mode, owner, time, or which names are one file
The time of a folder is not compared: every file made in it changes that.

Example:
  holdfast diff 20261101T0300 latest -d folder:/mnt/backup --server survival`,
    )
    .action(async (before: string, after: string, options: DestinationOptions & ServerOption) => {
      const { engine, destination } = await openDestination(host, options);
      const request = { before, after, ...given({ server: options.server }) };
      const report = await engine.diff(destination, request, { signal: host.signal });
      await (options.json === true ? printDocument(host, report) : printText(host, report));
      end(exitCodes.done);
    });
}

interface Totals {
  added: { paths: number; bytes: number };
  removed: { paths: number; bytes: number };
  changed: { paths: number; bytes: number; bytesBefore: number };
  metadata: { paths: number };
}

/** The rows as they come, and at the end what they add up to. */
function counted(rows: AsyncIterable<DiffRow>): { readonly rows: AsyncIterable<DiffRow>; readonly totals: Totals } {
  const totals: Totals = {
    added: { paths: 0, bytes: 0 },
    removed: { paths: 0, bytes: 0 },
    changed: { paths: 0, bytes: 0, bytesBefore: 0 },
    metadata: { paths: 0 },
  };
  async function* counting(): AsyncGenerator<DiffRow> {
    for await (const row of rows) {
      totals[row.change].paths += 1;
      if (row.change !== 'metadata') totals[row.change].bytes += row.size;
      if (row.change === 'changed') totals.changed.bytesBefore += row.sizeBefore ?? 0;
      yield row;
    }
  }
  return { rows: counting(), totals };
}

async function printDocument(host: CliHost, { before, after, rows }: DiffReport): Promise<void> {
  const found = counted(rows);
  const head = printableJson({ before, after }).slice(0, -1);
  await printJsonRows(host, found.rows, (row) => ({ ...row }), {
    start: `${head},"entries":`,
    end: () => `,"totals":${printableJson(found.totals)}}`,
  });
}

async function printText(host: CliHost, { rows }: DiffReport): Promise<void> {
  const found = counted(rows);
  await printRows(host, found.rows, describe);
  if (host.stdout.closed) return;
  const { added, removed, changed, metadata } = found.totals;
  await printLine(
    host,
    `${count(added.paths, 'path')} added (${formatSize(added.bytes)}), ${removed.paths.toLocaleString('en-US')} removed ` +
      `(${formatSize(removed.bytes)}), ${changed.paths.toLocaleString('en-US')} changed (${formatSize(changed.bytesBefore)} before, ` +
      `${formatSize(changed.bytes)} now), ${metadata.paths.toLocaleString('en-US')} with other metadata only.`,
  );
}

const signs = { added: '+', removed: '-', changed: 'M', metadata: 'U' } as const;

function describe({ change, path, type, size, sizeBefore, fields }: DiffRow): string {
  const name = printable(path) + (type === 'directory' && path !== '.' ? '/' : '');
  const notes: string[] = [];
  if (type === 'file' && change !== 'metadata') {
    notes.push(change === 'changed' ? `${formatSize(sizeBefore ?? 0)} to ${formatSize(size)}` : formatSize(size));
  }
  if (change === 'metadata') notes.push(...fields);
  return `${signs[change]}  ${name}${notes.length === 0 ? '' : `  (${notes.join(', ')})`}`;
}
