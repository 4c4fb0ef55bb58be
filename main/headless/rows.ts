import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { CliHost } from './host.ts';
import { printableJson } from './printable.ts';

/** Lines are handed on in pieces of about this many characters: one write a line would be slow for a million of them. */
const batchLength = 32 * 1024;

/** As many rows as come, in constant memory. */
export async function printRows<Row>(host: CliHost, rows: AsyncIterable<Row>, toLine: (row: Row) => string): Promise<void> {
  for await (const text of batches(rows, (row) => `${toLine(row)}\n`)) {
    await host.stdout.write(text);
    if (host.stdout.closed) return;
  }
}

/**
 * A JSON array of the rows, between what stands before and after it; `end` is asked once all rows have come. A fault half-way must be the only
 * document on standard output, so nothing is printed before the last row. Until then the text waits compressed: a million entries take some
 * ten megabytes.
 */
export async function printJsonRows<Row>(
  host: CliHost,
  rows: AsyncIterable<Row>,
  toJson: (row: Row) => Readonly<Record<string, unknown>>,
  around: { readonly start: string; readonly end: () => string } = { start: '', end: () => '' },
): Promise<void> {
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
  await host.stdout.write(`${around.start}[`);
  for await (const piece of Readable.from(held).pipe(createGunzip()) as AsyncIterable<Uint8Array>) {
    await host.stdout.write(piece);
    if (host.stdout.closed) return;
  }
  await host.stdout.write(`]${around.end()}\n`);
}

async function* batches<Row>(rows: AsyncIterable<Row>, toText: (row: Row) => string): AsyncGenerator<string> {
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
