import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import type { EntryRow } from '../../contract/reports.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { printable, printableJson } from '../printable.ts';
import { formatTime } from '../times.ts';
import { formatSize } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

/** Lines are handed on in pieces of about this many characters: one write a line would be slow for a million of them. */
const batchLength = 32 * 1024;

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
      await (options.json === true ? printJsonRows(host, rows) : printRows(host, rows));
      end(exitCodes.done);
    });
}

async function printRows(host: CliHost, rows: AsyncIterable<EntryRow>): Promise<void> {
  for await (const text of batches(rows, (row) => `${describe(row, host.zone)}\n`)) {
    await host.stdout.write(text);
    if (host.stdout.closed) return;
  }
}

/**
 * A fault half-way must be the only document on standard output, so nothing is printed before the last row has come. Until then the
 * text waits compressed: a million entries take some ten megabytes.
 */
async function printJsonRows(host: CliHost, rows: AsyncIterable<EntryRow>): Promise<void> {
  const { createGunzip, createGzip } = await import('node:zlib');
  const held: Uint8Array[] = [];
  let first = true;
  const text = batches(rows, (row) => {
    const comma = first ? '' : ',';
    first = false;
    return comma + printableJson(toJson(row));
  });
  await pipeline(Readable.from(text), createGzip({ level: 1 }), async (pieces: AsyncIterable<Uint8Array>) => {
    for await (const piece of pieces) held.push(piece);
  });
  await host.stdout.write('[');
  for await (const piece of Readable.from(held).pipe(createGunzip()) as AsyncIterable<Uint8Array>) {
    await host.stdout.write(piece);
    if (host.stdout.closed) return;
  }
  await host.stdout.write(']\n');
}

async function* batches(rows: AsyncIterable<EntryRow>, toText: (row: EntryRow) => string): AsyncGenerator<string> {
  let batch = '';
  for await (const row of rows) {
    batch += toText(row);
    if (batch.length < batchLength) continue;
    // The rows of a frame are all there at once: without a pause, nothing else would run before the last one.
    await setImmediate();
    yield batch;
    batch = '';
  }
  if (batch !== '') yield batch;
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
