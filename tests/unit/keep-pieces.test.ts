import { createHash } from 'node:crypto';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Monitor, monitorWords } from '../../main/adapters/compute/monitor.ts';
import { hashHandle } from '../../main/adapters/compute/unpack/file-content.ts';
import { FormerCopies } from '../../main/adapters/compute/unpack/former-copies.ts';
import { keepPieces } from '../../main/adapters/compute/unpack/keep-pieces.ts';
import { PlanBuilder } from '../../main/adapters/compute/unpack/plan-builder.ts';
import { Plan, type PlanFile } from '../../main/adapters/compute/unpack/plan.ts';
import { openSpool, type FileSpool } from '../../main/adapters/files/spool.ts';
import { StagedTree } from '../../main/adapters/files/staged-tree.ts';
import { asBytePath } from '../../main/engine/archive/byte-path.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;
const path = asBytePath('folder/large');
const wanted = noise(1, 9 * mib + 100);
const spools: FileSpool[] = [];
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.dispose();
});

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

function piecesOf(bytes: Buffer): Buffer {
  const count = Math.ceil(bytes.length / mib);
  return Buffer.concat(Array.from({ length: count }, (_, piece) => sha256(bytes.subarray(piece * mib, (piece + 1) * mib))));
}

function changed(at: number): Buffer {
  const bytes = Buffer.from(wanted);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** As a file system that shares blocks does it; this one most likely has none that can be tried. */
class Cloning extends FormerCopies {
  readonly #staged: string;
  readonly #former: string;

  constructor(tree: StagedTree, staged: string, former: string) {
    super(tree, () => false);
    this.#staged = staged;
    this.#former = former;
  }

  override clone(_: number, file: PlanFile): number | null {
    mkdirSync(join(this.#staged, 'folder'));
    copyFileSync(this.#former, join(this.#staged, file.path));
    return openSync(join(this.#staged, file.path), 'r+');
  }
}

interface Tried {
  readonly whole: boolean;
  readonly plan: Plan;
  /** What has been told as taken over, in sum. */
  readonly bytes: number;
  /** What is staged then. */
  readonly staged: Buffer | null;
}

/** Takes the wanted content's pieces over from a file with another one. */
function tried(former: Buffer, { pieces = piecesOf(wanted), clones = false, stopAfter = Infinity } = {}): Tried {
  const staged = tempFolder();
  const from = join(tempFolder(), 'former');
  writeFileSync(from, former);
  const fresh = (): number => {
    const spool = openSpool();
    spools.push(spool);
    return spool.handle;
  };
  const building = new PlanBuilder({ files: fresh(), paths: fresh(), extents: fresh(), ordered: fresh(), pieces: fresh() });
  const stamps = { mode: 0o640, uid: 0, gid: 0, mtimeNs: 5n, sparse: false };
  const number = building.addFile({ path, ...stamps, size: wanted.length, sha256: sha256(wanted).toString('hex'), extents: 3, pieces });
  const plan = new Plan(building.build().plan);
  const tree = new StagedTree(staged, false);
  let looked = 0;
  const copies = clones ? new Cloning(tree, staged, from) : new FormerCopies(tree, () => (looked += 1) > stopAfter);
  const handle = openSync(from, 'r');
  let bytes = 0;
  try {
    const of = { handle, file: plan.file(number), number, pieces: plan.pieces(number) ?? expect.fail('it has no pieces') };
    const whole = keepPieces(of, plan, copies, (more) => (bytes += more));
    const there = join(staged, path);
    return { whole, plan, bytes, staged: existsSync(there) ? readFileSync(there) : null };
  } finally {
    closeSync(handle);
    tree.close();
  }
}

describe.each([
  ['copied', false],
  ['cloned', true],
])('%s', (_, clones) => {
  test('all of them, from one that is longer: the file is done', () => {
    const { whole, bytes, staged } = tried(Buffer.concat([wanted, noise(2, 3 * mib)]), { clones });
    expect([whole, bytes]).toEqual([true, wanted.length]);
    expect(staged?.equals(wanted)).toBe(true);
  });

  test('all but one: what lies in it is needed still, and nothing else', () => {
    const { whole, plan, bytes, staged } = tried(changed(4 * mib + 7), { clones });
    expect([whole, bytes, plan.isPartKept(0), plan.isCreated(0)]).toEqual([false, wanted.length - mib, true, true]);
    expect(staged?.subarray(0, 4 * mib).equals(wanted.subarray(0, 4 * mib))).toBe(true);
    expect(staged?.subarray(5 * mib, wanted.length).equals(wanted.subarray(5 * mib))).toBe(true);
    const needed = [
      [0, 4 * mib],
      [4 * mib - 1, 2],
      [5 * mib - 1, 1],
      [5 * mib, 4 * mib + 100],
    ].map(([inFile = 0, length = 0]) => plan.needs({ file: 0, inFrame: 0, inFile, length }));
    expect(needed).toEqual([false, true, true, false]);
    expect(plan.keptBytes({ file: 0, inFrame: 0, inFile: 4 * mib - 10, length: mib + 30 })).toBe(30);
  });

  test('none: nothing is staged', () => {
    const { whole, plan, bytes, staged } = tried(noise(3, wanted.length), { clones });
    expect([whole, plan.isPartKept(0), plan.isCreated(0), bytes, staged === null]).toEqual([false, false, false, 0, true]);
  });

  test('all, of a list that is not that of the content: nothing is staged and all is fetched', () => {
    const other = changed(2 * mib);
    const { whole, plan, bytes, staged } = tried(other, { clones, pieces: piecesOf(other) });
    expect([whole, plan.isPartKept(0), bytes, staged === null]).toEqual([false, false, 0, true]);
  });
});

test('one that ends early gives what it has', () => {
  const { whole, plan, bytes } = tried(wanted.subarray(0, 3 * mib + 500));
  expect([whole, plan.isPartKept(0), bytes]).toEqual([false, true, 3 * mib]);
});

test('a job that is stopped goes on with no further piece', () => {
  const { whole, bytes } = tried(wanted, { stopAfter: 2 });
  expect([whole, bytes]).toEqual([false, 2 * mib]);
});

test('a file whose pieces were in vain is needed whole again, in all its extents', () => {
  const { plan } = tried(changed(0));
  plan.forgetPieces(0, 2);
  expect([plan.isPartKept(0), plan.isCreated(0), plan.needs({ file: 0, inFrame: 0, inFile: 2 * mib, length: mib })]).toEqual([
    false,
    true,
    true,
  ]);
  expect([plan.extentDone(0), plan.extentDone(0)]).toEqual([false, true]);
});

test('reading a large file back ends when its job is stopped', () => {
  const file = join(tempFolder(), 'large');
  writeFileSync(file, wanted);
  const handle = openSync(file, 'r');
  const monitor = new Monitor(new Int32Array(monitorWords));
  try {
    expect(hashHandle(handle, wanted.length, monitor).equals(sha256(wanted))).toBe(true);
    monitor.stop();
    expect(() => hashHandle(handle, wanted.length, monitor)).toThrow(expect.objectContaining({ code: 'cancelled' }));
  } finally {
    closeSync(handle);
  }
});
