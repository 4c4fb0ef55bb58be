import { createHash } from 'node:crypto';
import { resolve as absolute } from 'node:path';
import * as fs from 'node:fs/promises';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, parentOf, shown } from './file-calls.ts';

/** A restore's target, links resolved. It need not exist: a swap cut short between its two renames leaves none. */
export interface Target {
  readonly path: Buffer;
  /** The nearest folder above it that exists; its parent, as a rule. */
  readonly existing: Buffer;
  readonly viaLink: boolean;
}

/**
 * Where a swap's own files lie. `beside`: in the target's parent, named after it. `inside`: in the target itself, where that is a
 * mount point or the parent may not be written.
 */
export interface Home {
  readonly kind: 'beside' | 'inside';
  readonly target: Buffer;
  /** The folder that holds journal, records, staging and former contents. */
  readonly folder: Buffer;
  /** Their names begin with it. */
  readonly prefix: string;
}

const longestBase = 180;

export function besideHome(target: Buffer): Home {
  return { kind: 'beside', target, folder: parentOf(target), prefix: `.${baseFor(target)}.holdfast-` };
}

export function insideHome(target: Buffer): Home {
  return { kind: 'inside', target, folder: target, prefix: '.holdfast-' };
}

export function journalPath(home: Home): Buffer {
  return join(home.folder, `${home.prefix}journal`);
}

export function recordName(home: Home, stamp: string): string {
  return `${home.prefix}undo-${stamp}`;
}

export function beforeName(home: Home, stamp: string): string {
  return home.kind === 'inside' ? `${home.prefix}before-${stamp}` : `${baseFor(home.target)}.before-${stamp}`;
}

const stampPattern = /^\d{8}T\d{6}Z(?:-\d+)?$/;

/** The stamp in a record's name, with the number of one that shares its second; null of any other name. */
export function stampOfRecord(home: Home, name: string): string | null {
  const start = recordName(home, '');
  const stamp = name.startsWith(start) ? name.slice(start.length) : '';
  return stampPattern.test(stamp) ? stamp : null;
}

export function isBeforeName(home: Home, name: string): boolean {
  const start = beforeName(home, '');
  return name.startsWith(start) && stampPattern.test(name.slice(start.length));
}

/** An id comes from a destination and is not trusted to be a plain name. */
export function stagingName(home: Home, id: string): string {
  return `${home.prefix}restore-${id.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 40)}`;
}

/** `20261124T020000Z` */
export function stampOf(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** A name has 255 bytes; ours add up to 64. A longer base is cut at a character and told apart by its hash. */
function baseFor(target: Buffer): string {
  const base = target.subarray(target.lastIndexOf(0x2f) + 1);
  if (base.length <= longestBase) return base.toString();
  const hash = createHash('sha256').update(base).digest('hex').slice(0, 8);
  let end = longestBase - 9;
  while (((base[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${base.subarray(0, end).toString()}~${hash}`;
}

/**
 * The real folder behind what was typed. The last name may be a link, also one whose folder is gone for the moment; everything above
 * is resolved too, so that one folder has one journal. Faults: config-invalid.
 */
export async function resolveTarget(calls: FileCalls, typed: string): Promise<Target> {
  let path: Buffer = Buffer.from(absolute(typed));
  let viaLink = false;
  for (let hops = 0; ; hops++) {
    const found = await look(calls, path);
    if (found === null || !found.isSymbolicLink()) break;
    if (hops === 40) throw refused(typed, 'is a chain of links without end');
    const to = await calls.readlink(path);
    path = Buffer.from(absolute(utf8(parentOf(path), typed), utf8(to, typed)));
    viaLink = true;
  }
  const missing: Buffer[] = [];
  let existing: Buffer = path;
  while (existing.length > 1) {
    missing.unshift(existing.subarray(existing.lastIndexOf(0x2f) + 1));
    existing = parentOf(existing);
    if ((await look(calls, existing)) !== null) break;
  }
  try {
    existing = await fs.realpath(existing, { encoding: 'buffer' });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) throw refused(typed, 'leads through a link that leads nowhere');
    throw error;
  }
  const real = missing.reduce<Buffer>((folder, name) => join(folder, name), existing);
  utf8(real, typed);
  return { path: real, existing, viaLink };
}

function utf8(path: Buffer, typed: string): string {
  const text = path.toString();
  if (!Buffer.from(text).equals(path)) throw refused(typed, `lies in a folder whose name is not UTF-8 (${shown(path)})`);
  return text;
}

function refused(target: string, why: string): Fault {
  return new Fault('config-invalid', `the target ${target} ${why}`, {
    operation: 'restore',
    context: saying('target-refused', { target }),
  });
}
