import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './engine-on-memory.ts';
import { contents, holding, world } from './engine-on-memory.ts';

/** docs/format.md, written down a second time: what the tests compute with is not what they test. */
export const headSize = 148;
export const sealedChunk = 16_400;
const plainChunk = 16_384;

/** Volumes with several frames each, a file in stretches, and a manifest of several chunks. */
export function makeTree(root: string): void {
  mkdirSync(join(root, 'small'), { recursive: true });
  for (let file = 0; file < 700; file += 1) writeFileSync(join(root, 'small', `f${file}`), randomBytes(200 + file));
  for (let file = 0; file < 3; file += 1) writeFileSync(join(root, `middle${file}`), randomBytes(3 * 2 ** 20));
  writeFileSync(join(root, 'large'), randomBytes(9 * 2 ** 20));
  writeFileSync(join(root, 'empty'), '');
  mkdirSync(join(root, 'bare'));
  linkSync(join(root, 'middle1'), join(root, 'middle1-again'));
  symlinkSync('small/f1', join(root, 'link'));
}

export interface ManifestLines {
  readonly header: { readonly id: string; readonly archives: readonly { readonly key: string; readonly size: number }[] };
  readonly entries: readonly Readonly<{
    path: string;
    type: string;
    size: number;
    linkOf?: string;
    racy?: boolean;
    sha256?: string;
    pieces?: string;
    extents: readonly (readonly [number, number, number, number, number])[];
  }>[];
}

/** A manifest's lines, by way of `holdfast open`. */
export async function manifestLines(from: World, manifest: Uint8Array): Promise<ManifestLines> {
  const one = async function* (): AsyncGenerator<Uint8Array> {
    yield manifest;
  };
  const { content } = await from.engine.openFile(one(), { credentials: from.destination.credentials }, {});
  let text = '';
  for await (const piece of content) text += Buffer.from(piece).toString('latin1');
  const [first = '', ...lines] = text.split('\n').slice(0, -1);
  return {
    header: JSON.parse(first) as ManifestLines['header'],
    entries: lines.map((line) => JSON.parse(line) as ManifestLines['entries'][number]),
  };
}

/** Which files cannot come back when these stored bytes of an archive are wrong, worked out from the manifest alone. */
export function filesIn(lines: ManifestLines, key: string, damaged: { readonly from: number; readonly to: number }): string[] {
  const archive = lines.header.archives.findIndex((one) => one.key === key);
  const first = Math.floor(Math.max(0, damaged.from - headSize) / sealedChunk) * plainChunk;
  const end = (Math.floor(Math.max(0, damaged.to - 1 - headSize) / sealedChunk) + 1) * plainChunk;
  const lost = lines.entries
    .filter(({ extents }) => extents.some(([index, offset, stored]) => index === archive && offset < end && offset + stored > first))
    .map(({ path }) => path);
  return [...lost, ...lines.entries.filter(({ linkOf }) => linkOf !== undefined && lost.includes(linkOf)).map(({ path }) => path)].sort();
}

/** A world whose destination holds what another one holds, but for what `change` does to it. */
export async function damagedWorld(from: World, change: (objects: Map<string, Buffer>) => void): Promise<World> {
  const objects = await contents(from.backend);
  change(objects);
  return world({ backend: await holding(objects) });
}

export function flipped(bytes: Buffer, at: number, bits = 0x01): Buffer {
  const copy = Buffer.from(bytes);
  const place = at < 0 ? copy.length + at : at;
  copy[place] = (copy[place] ?? 0) ^ bits;
  return copy;
}
