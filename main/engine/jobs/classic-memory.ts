import { createHash } from 'node:crypto';
import { z } from 'zod';
import { asFault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, RunContext, Warning } from '../../contract/reports.ts';
import type { PackedSnapshot } from '../archive/packer.ts';
import type { EngineHost, WritableSpool } from '../host.ts';
import { findObject, type ListedSnapshot } from '../snapshots/catalog.ts';
import type { ByteStream } from '../storage/backend.ts';
import { classicProblem, isMissing } from './snapshot-problem.ts';

/*
 * A classic file has no manifest, so the destination cannot tell what its last snapshot was made of. This computer remembers: the lines that a
 * manifest would have, behind one of its own. Forgetting them costs one more snapshot.
 */

const headSchema = z.object({
  format: z.literal('holdfast-classic-memory-1'),
  id: z.string(),
  server: z.string(),
  preset: z.string().nullable(),
  excludes: z.array(z.string()),
  files: z.number(),
  bytes: z.number(),
  /** Of the stored file. */
  stored: z.number(),
});

interface Known {
  readonly head: z.infer<typeof headSchema>;
  /** zstd frames, the head's line first: what the scan compares with. */
  readonly lines: WritableSpool;
}

const longestHead = 2 ** 20;

function memoryName(place: string): string {
  return `classic-${createHash('sha256').update(place).digest('hex').slice(0, 32)}`;
}

/** Null where nothing is remembered, or nothing that can be read. */
export async function recallClassic(host: EngineHost, place: string): Promise<Known | null> {
  const content = await host.memory.recall(memoryName(place));
  if (content === null) return null;
  const lines = host.openSpool();
  try {
    for await (const piece of content) await lines.append(piece);
    const head = headSchema.safeParse(JSON.parse(await firstLine(host.zstd.decompress(lines.read()))));
    if (head.success) return { head: head.data, lines };
  } catch (error) {
    // Whatever is wrong with it, a new snapshot puts it right; but a call that was stopped stays stopped.
    if (asFault(error, 'recall').code === 'cancelled') throw error;
  }
  await lines.dispose();
  return null;
}

async function firstLine(text: ByteStream): Promise<string> {
  let line = Buffer.alloc(0);
  for await (const piece of text) {
    line = Buffer.concat([line, piece]);
    const end = line.indexOf(10);
    if (end >= 0) return line.toString('utf8', 0, end);
    if (line.length > longestHead) break;
  }
  return '';
}

/** Whether the last snapshot is the one that is remembered, whole by its size and not known to be damaged, made by the same rules, and the folder is still what it was. */
export async function isClassicUnchanged(
  host: EngineHost,
  { head, lines }: Known,
  last: ListedSnapshot | undefined,
  { request, excludes, root }: { readonly request: BackupRequest; readonly excludes: readonly string[]; readonly root: string },
  run: RunContext,
): Promise<boolean> {
  try {
    if (last?.id !== head.id || findObject(last, 'classic')?.size !== head.stored || classicProblem(last) !== null) return false;
    if (head.preset !== (request.preset ?? null) || JSON.stringify(head.excludes) !== JSON.stringify(excludes)) return false;
    return await host.scan({ root, excludes, manifest: lines, signal: run.signal, onProgress: run.onProgress });
  } finally {
    await lines.dispose();
  }
}

export function unchangedClassic({ head }: Known): Omit<BackupReport, 'elapsedMs'> {
  const { id, server, files, bytes } = head;
  return { outcome: 'unchanged', id, server, files, bytes, storedBytes: 0, archives: [], kept: { files, bytes }, warnings: [] };
}

export interface Made {
  readonly id: string;
  readonly server: string;
  readonly stored: number;
  readonly request: BackupRequest;
  readonly excludes: readonly string[];
  readonly warnings: readonly Warning[];
  readonly packed: PackedSnapshot;
}

/** A snapshot that misses something it should hold is not remembered. That it could not be is told, and no reason to fail. */
export async function rememberClassic(host: EngineHost, place: string, made: Made): Promise<readonly Warning[]> {
  const { id, server, stored, request, excludes, packed } = made;
  if (made.warnings.some(isMissing)) return [];
  const head: Known['head'] = {
    format: 'holdfast-classic-memory-1',
    ...{ id, server, stored },
    preset: request.preset ?? null,
    excludes: [...excludes],
    files: packed.totals.files,
    bytes: packed.totals.bytes,
  };
  async function* content(): ByteStream {
    yield host.zstd.compress(Buffer.from(`${JSON.stringify(head)}\n`));
    yield* packed.entryLines.read();
  }
  try {
    await host.memory.remember(memoryName(place), content());
    return [];
  } catch (error) {
    const message = `what was backed up could not be remembered, so that the next run backs up again: ${asFault(error, 'remember').message}`;
    return [{ code: 'memory', message, level: 'note' }];
  }
}
