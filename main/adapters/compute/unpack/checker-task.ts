import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import binding from 'zstd-napi/binding.js';
import { showPath } from '../../../engine/archive/byte-path.ts';
import { maxFrameContent } from '../../../engine/archive/seek-table.ts';
import { threadTask } from '../thread-task.ts';
import type { CheckerTask, UnpackMessage } from './messages.ts';
import { Plan } from './plan.ts';
import type { PlanExtent } from './plan.ts';
import { readRecords } from './plan-records.ts';
import { UnpackRing } from './unpack-ring.ts';
import { ZipAudit } from './zip-audit.ts';

interface UnderWay {
  readonly sum: Hash;
  position: number;
  /** Stretches that came before what stands in front of them, by their place in the file. */
  readonly ahead: Map<number, Buffer>;
}

function follow(open: UnderWay, data: Buffer): void {
  open.sum.update(data);
  open.position += data.length;
}

/** Reads every frame in order and compares what lies in it with the manifest, and the whole with the ZIP's own directory. */
export const task = threadTask('check', (task: CheckerTask, send) => {
  const tell = send as (message: UnpackMessage) => void;
  const ring = new UnpackRing(task.ring);
  const plan = new Plan(task.plan);
  const context = new binding.DCtx();
  const room = Buffer.allocUnsafeSlow(maxFrameContent);
  const underWay = new Map<number, UnderWay>();
  let archive = -1;
  let nextFrame = 0;
  const zip: { audit: ZipAudit | null } = { audit: null };
  let zipPosition = 0;
  let starts: { file: number; position: number }[] = [];

  function damaged(kind: 'frame' | 'zip', message: string): void {
    tell({ kind: 'damage', damage: { archive, kind, message, range: null } });
  }

  function lose(file: number, why: string): void {
    underWay.delete(file);
    if (plan.markDamaged(file)) tell({ kind: 'lost-file', file, why });
  }

  function endArchive(): void {
    // Frames lost at the end leave the audit unfinished, which is no finding of its own.
    if (archive >= 0 && zip.audit !== null && !lastFrameOf(archive, nextFrame - 1)) zip.audit = null;
    zip.audit?.end();
    zip.audit = null;
  }

  function lastFrameOf(of: number, frame: number): boolean {
    return frame + 1 >= plan.frames || plan.frame(frame + 1).archive !== of;
  }

  function beginArchive(next: number): void {
    archive = next;
    zipPosition = 0;
    const place = task.directories[next];
    if (place === null || place === undefined) return;
    const { length } = place;
    const read = (offset: number, size: number): Buffer => readRecords(task.directorySpool, place.offset + offset, size);
    zip.audit = new ZipAudit({ length, read }, (message) => damaged('zip', message));
  }

  /** The files of a frame that has been checked must begin where the ZIP has them. */
  function followZip(content: Buffer): void {
    const { audit } = zip;
    audit?.feed(content);
    for (const { file, position } of starts) {
      if (audit?.startsAt(position) === false) damaged('zip', `${showPath(plan.path(file))} is not where the ZIP has it`);
    }
    starts = [];
    audit?.forget();
    zipPosition += content.length;
  }

  function check(extent: PlanExtent, data: Buffer): void {
    const { file } = extent;
    ring.count(0, data.length);
    if (data.length < extent.length) {
      lose(file, 'it reaches beyond its frame');
      return;
    }
    const size = plan.size(file);
    if (extent.inFile === 0) starts.push({ file, position: zipPosition + extent.inFrame });
    if (extent.length === size) {
      if (hash('sha256', data, 'buffer').equals(plan.file(file).sha256)) ring.count(1, 0);
      else lose(file, 'its content is not what was backed up');
      return;
    }
    const open = underWay.get(file) ?? { sum: createHash('sha256'), position: 0, ahead: new Map<number, Buffer>() };
    underWay.set(file, open);
    if (plan.isDamaged(file)) {
      underWay.delete(file);
      return;
    }
    if (open.position !== extent.inFile) {
      if (extent.inFile + data.length > open.position + task.window) lose(file, 'a stretch of it is missing');
      else if (data.length > 0) open.ahead.set(extent.inFile, Buffer.from(data));
      return;
    }
    follow(open, data);
    for (let next = open.ahead.get(open.position); next !== undefined; next = open.ahead.get(open.position)) {
      open.ahead.delete(open.position);
      follow(open, next);
    }
    if (open.position < size) return;
    underWay.delete(file);
    if (open.sum.digest().equals(plan.file(file).sha256)) ring.count(1, 0);
    else lose(file, 'its content is not what was backed up');
  }

  for (let turn = 0; ; turn += 1) {
    ring.monitor.waitUntil(() => (ring.turns !== null && turn >= ring.turns) || ring.filled(turn) !== null);
    const filled = ring.filled(turn);
    if (filled === null) break;
    const frame = plan.frame(filled.frame);
    if (frame.archive !== archive) {
      endArchive();
      beginArchive(frame.archive);
      // An archive's first frame begins its stream.
      if (frame.offset !== 0) zip.audit = null;
    } else if (filled.frame !== nextFrame) {
      // A frame before this one was lost: where the ZIP stands is no longer known.
      zip.audit = null;
    }
    nextFrame = filled.frame + 1;
    let content: Buffer | null = null;
    try {
      content = room.subarray(0, context.decompress(room, ring.stored(turn % ring.slots).subarray(0, filled.length)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      damaged('frame', `a frame cannot be decompressed (${error.message})`);
      tell({ kind: 'lost-frame', frame: filled.frame });
      zip.audit = null;
    }
    ring.free(turn);
    if (content === null) continue;
    for (const extent of plan.extents(filled.frame)) check(extent, content.subarray(extent.inFrame, extent.inFrame + extent.length));
    followZip(content);
  }
  endArchive();
});
