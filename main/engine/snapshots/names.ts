import { Fault } from '../../contract/faults.ts';
import { classicEnding } from '../archive/classic.ts';
import type { Random } from '../ports.ts';
import type { ObjectKey } from '../storage/backend.ts';

/** In the order in which they sort. */
const letters = '234567abcdefghijklmnopqrstuvwxyz';
const tails = 32 ** 6;
// We write letters a to z and 2 to 7; other writers' base32 may have any digit.
const idPattern = /^\d{8}T\d{6}Z-[a-z0-9]{6}$/;
const namePattern = /^(\d{8}T\d{6}Z-[a-z0-9]{6})(\..+)$/;
export const slugPattern = /^[a-z0-9-]{1,63}$/;

/**
 * `20261123T220500Z-k3v9qa`: UTC, whole seconds, and six letters so that two of one second differ. Snapshots are ordered by their
 * ids, so one of the same second as `earlier` ones gets letters behind theirs: the newest must be the newest.
 */
export function newSnapshotId(time: number, random: Random, earlier: readonly string[] = []): string {
  const stamp = stampOf(time);
  const last = earlier.reduce((most, id) => (id.startsWith(stamp) ? Math.max(most, tailValue(id.slice(stamp.length))) : most), -1);
  // No further than half-way to the end, so that there is always room for the next one.
  const from = last + 1;
  const room = Math.ceil((tails - from) / (last < 0 ? 1 : 2));
  if (room < 1) return newSnapshotId(time + 1000, random, earlier);
  const drawn = random.bytes(6).reduce((value, byte) => value * 32 + (byte % 32), 0);
  return stamp + tailText(from + (drawn % room));
}

function stampOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z-`;
}

function tailValue(tail: string): number {
  return Array.from(tail).reduce((value, letter) => value * 32 + letters.indexOf(letter), 0);
}

function tailText(value: number): string {
  return Array.from({ length: 6 }, (_, index) => letters.charAt(Math.floor(value / 32 ** (5 - index)) % 32)).join('');
}

export function isSnapshotId(text: string): boolean {
  return idPattern.test(text);
}

/** Milliseconds since 1970. */
export function snapshotTime(id: string): number {
  const part = (from: number, to: number): number => Number(id.slice(from, to));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(9, 11), part(11, 13), part(13, 15));
}

export function serverPrefix(slug: string): string {
  if (!slugPattern.test(slug)) throw new Fault('config-invalid', `"${slug}" is no server's folder`, { operation: 'name objects' });
  return `${slug}/`;
}

/** Volume 0 is `<id>.holdfast`, the next ones `<id>.002.holdfast` and so on. */
export function archiveKey(slug: string, id: string, volume: number): ObjectKey {
  return `${serverPrefix(slug)}${id}${volumeText(volume)}.holdfast`;
}

/** What is written down of a volume of a run that has not ended; numbered as the volumes are. */
export function partialKey(slug: string, id: string, volume: number): ObjectKey {
  return `${serverPrefix(slug)}${id}${volumeText(volume)}.partial`;
}

function volumeText(volume: number): string {
  return volume === 0 ? '' : `.${String(volume + 1).padStart(3, '0')}`;
}

/** Which volume an archive or a partial is of, from 0. */
export function volumeOf(key: ObjectKey): number {
  const [, number] = /\.(\d{3,})\.(?:holdfast|partial)$/.exec(key) ?? [];
  return number === undefined ? 0 : Number(number) - 1;
}

export const classicKey = (slug: string, id: string): ObjectKey => `${serverPrefix(slug)}${id}${classicEnding}`;
export const manifestKey = (slug: string, id: string): ObjectKey => `${serverPrefix(slug)}${id}.manifest`;
export const pinKey = (slug: string, id: string): ObjectKey => `${serverPrefix(slug)}${id}.pin`;
export const damagedKey = (key: ObjectKey): ObjectKey => `${key}.damaged`;
/** The key of what a mark stands beside. */
export const markedKey = (mark: ObjectKey): ObjectKey => mark.slice(0, -damagedKey('').length);
export const checksumKey = (key: ObjectKey): ObjectKey => `${key}.sha256`;

export type ObjectKind = 'archive' | 'classic' | 'checksum' | 'manifest' | 'partial' | 'damaged' | 'pin';

export interface ObjectName {
  readonly slug: string;
  readonly id: string;
  readonly kind: ObjectKind;
}

/** What a verification marks where it is damaged. */
function isMarkable(kind: ObjectKind | null): boolean {
  return kind === 'archive' || kind === 'manifest' || kind === 'classic';
}

/** What an object of ours is, by its key; null for anything else, which is never touched. */
export function readObjectName(key: ObjectKey): ObjectName | null {
  const [slug, name, ...rest] = key.split('/');
  if (slug === undefined || name === undefined || rest.length > 0 || !slugPattern.test(slug)) return null;
  const match = namePattern.exec(name);
  const [, id, ending] = match ?? [];
  if (id === undefined || ending === undefined) return null;
  const kind = kindOf(ending);
  return kind === null ? null : { slug, id, kind };
}

function kindOf(ending: string): ObjectKind | null {
  if (/^(\.\d{3,})?\.holdfast$/.test(ending)) return 'archive';
  if (ending.endsWith('.damaged')) return isMarkable(kindOf(ending.slice(0, -'.damaged'.length))) ? 'damaged' : null;
  if (/^(\.\d{3,})?\.holdfast\.sha256$/.test(ending) || ending === `${classicEnding}.sha256`) return 'checksum';
  if (ending === classicEnding) return 'classic';
  if (ending === '.manifest') return 'manifest';
  if (/^(\.\d{3,})?\.partial$/.test(ending)) return 'partial';
  return ending === '.pin' ? 'pin' : null;
}
