import type { Command } from 'commander';
import type { EntryRow } from '../../contract/reports.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { printable } from '../printable.ts';
import { printJsonRows, printRows } from '../rows.ts';
import { formatTime } from '../times.ts';
import { formatSize } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

export function addLs(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('ls')
    .summary('list the files of a snapshot')
    .description('Lists what a snapshot holds, or the part of it under a path.')
    .argument('<snapshot>', 'an id, a unique beginning of one, or latest')
    .argument('[path]', 'list only this file or folder, relative to the folder that was backed up');
  withDestination(withServer(command))
    .addHelpText('after', '\nExample:\n  holdfast ls latest world/region -d folder:/mnt/backup')
    .action(async (snapshot: string, path: string | undefined, options: DestinationOptions & ServerOption) => {
      const { engine, destination } = await openDestination(host, options);
      const request = { snapshot, ...given({ server: options.server, path }) };
      const rows = engine.list(destination, request, { signal: host.signal });
      await (options.json === true ? printJsonRows(host, rows, toJson) : printRows(host, rows, (row) => describe(row, host.zone)));
      end(exitCodes.done);
    });
}

function toJson({ path, type, size, mode, mtime, target }: EntryRow): Readonly<Record<string, unknown>> {
  return { path, type, size, mode, mtime, ...given({ target }) };
}

function describe(row: EntryRow, zone: string): string {
  const size = row.type === 'file' ? formatSize(row.size) : '';
  const target = row.target === undefined ? '' : ` -> ${printable(row.target)}`;
  return `${modeText(row)}  ${size.padStart(10)}  ${printable(formatTime(row.mtime, zone))}  ${printable(row.path)}${target}`;
}

const typeLetters = { file: '-', directory: 'd', symlink: 'l' } as const;

/** `drwxr-xr-x`, with s and t where set-id and sticky bits are, as ls(1) prints them. */
export function modeText({ type, mode }: Pick<EntryRow, 'type' | 'mode'>): string {
  const letters = Array.from('rwxrwxrwx', (letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  const special = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ] as const;
  for (const [bit, index, letter] of special) {
    if ((mode & bit) !== 0) letters[index] = letters[index] === 'x' ? letter : letter.toUpperCase();
  }
  return typeLetters[type] + letters.join('');
}
