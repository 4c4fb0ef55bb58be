import { basename, dirname, join } from 'node:path';
import { asFault, Fault } from '../contract/faults.ts';
import type { Credentials, Engine } from '../engine/engine.ts';
import { readSealedFile } from './sealed-file.ts';

const operation = 'open a sealed file';

export interface NamedSha256 {
  /** The manifest. */
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * What the manifest in the folder of an archive says of that archive. Null where there is no manifest of its run, or one that does not name it.
 * Faults: corrupt, truncated, wrong-password and the like, of the manifest.
 */
export async function sha256InManifest(
  path: string,
  engine: Pick<Engine, 'openFile'>,
  request: { readonly credentials: Credentials; readonly vault?: Uint8Array },
  signal: AbortSignal,
): Promise<NamedSha256 | null> {
  const name = basename(path);
  const manifest = name.replace(/(\.\d{3,})?\.holdfast$/, '.manifest');
  if (manifest === name) return null;
  const file = join(dirname(path), manifest);
  try {
    const { content } = await readSealedFile(file);
    const { kind, content: lines } = await engine.openFile(content, { ...request, format: 'archive' }, { signal });
    if (kind !== 'json-lines') throw corrupt(file, 'is no manifest');
    // With the engine this is loaded already; without it, it need not be.
    const { maxFirstLine, parseManifestHeader } = await import('../engine/snapshots/manifest.ts');
    const { archives } = parseManifestHeader(await firstLine(lines, file, maxFirstLine), file);
    const named = archives.find(({ key }) => basename(key) === name);
    return named === undefined ? null : { file, sha256: named.sha256 };
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return null;
    throw asFault(error, operation);
  }
}

async function firstLine(content: AsyncIterable<Uint8Array>, file: string, longest: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content) {
    const end = piece.indexOf(10);
    pieces.push(Uint8Array.from(end < 0 ? piece : piece.subarray(0, end)));
    bytes += piece.length;
    if (end >= 0) return Buffer.concat(pieces).toString('utf8');
    if (bytes > longest) break;
  }
  throw corrupt(file, 'has no first line');
}

function corrupt(file: string, why: string): Fault {
  return new Fault('corrupt', `${file} ${why}`, { operation, context: { file } });
}
