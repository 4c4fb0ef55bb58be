import { afterEach, describe, expect, test } from 'vitest';
import { PlanBuilder } from '../../main/adapters/compute/unpack/plan-builder.ts';
import { Plan, type PlanExtent, type PlanFrame } from '../../main/adapters/compute/unpack/plan.ts';
import { openSpool, type FileSpool } from '../../main/adapters/files/spool.ts';
import { asBytePath } from '../../main/engine/archive/byte-path.ts';
import { seededNumbers } from '../support/seeded-random.ts';

const spools: FileSpool[] = [];
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.dispose();
});

function builder(): PlanBuilder {
  const fresh = (): number => {
    const spool = openSpool();
    spools.push(spool);
    return spool.handle;
  };
  return new PlanBuilder({ files: fresh(), paths: fresh(), extents: fresh(), ordered: fresh(), pieces: fresh() });
}

function fileOf(number: number): Parameters<PlanBuilder['addFile']>[0] {
  return {
    path: asBytePath(`folder ${number % 7}/name \xff ${number}`.padEnd(20 + (number % 300), 'x')),
    mode: 0o644 + (number % 8),
    uid: number,
    gid: 4_294_967_295 - number,
    size: number * 1000,
    mtimeNs: BigInt(number) * 1_234_567_891n - 10n ** 18n,
    sparse: number % 3 === 0,
    sha256: number.toString(16).padStart(64, '0'),
    extents: 1,
    pieces: null,
  };
}

const place = (archive: number, offset: number): PlanFrame => ({ archive, offset, stored: offset + 1 });
const frames = (plan: Plan): PlanFrame[] => Array.from({ length: plan.frames }, (_, frame) => plan.frame(frame));
const allExtents = (plan: Plan): PlanExtent[][] => Array.from({ length: plan.frames }, (_, frame) => [...plan.extents(frame)]);

test('each of a thousand files is found again, in any order', () => {
  const building = builder();
  for (let number = 0; number < 1000; number += 1) {
    const file = building.addFile(fileOf(number));
    building.addExtent(place(0, Math.floor(number / 100)), { file, inFrame: number, length: 1, inFile: 0 });
  }
  const plan = new Plan(building.build().plan);
  expect(plan.files).toBe(1000);
  const next = seededNumbers(5);
  for (const number of [0, 255, 256, 999, 511, 512, ...Array.from({ length: 500 }, () => Math.floor(next() * 1000))]) {
    const expected = fileOf(number);
    const found = plan.file(number);
    expect({ ...found, sha256: found.sha256.toString('hex'), extents: 1, pieces: null }).toEqual(expected);
    expect([plan.path(number), plan.size(number)]).toEqual([expected.path, expected.size]);
  }
});

describe('extents', () => {
  test('that come in order stay in it, frame by frame', () => {
    const building = builder();
    const file = building.addFile({ ...fileOf(1), extents: 4 });
    const added: [PlanFrame, PlanExtent][] = [
      [place(0, 0), { file, inFrame: 5, length: 10, inFile: 0 }],
      [place(0, 0), { file, inFrame: 15, length: 10, inFile: 10 }],
      [place(0, 700), { file, inFrame: 0, length: 10, inFile: 20 }],
      [place(1, 0), { file, inFrame: 0, length: 10, inFile: 2 ** 40 }],
    ];
    for (const [frame, extent] of added) building.addExtent(frame, extent);
    const plan = new Plan(building.build().plan);
    expect(frames(plan)).toEqual([place(0, 0), place(0, 700), place(1, 0)]);
    expect(allExtents(plan)).toEqual([[added[0]?.[1], added[1]?.[1]], [added[2]?.[1]], [added[3]?.[1]]]);
  });

  test('that come in any order are sorted by where they are stored, and stay in their order within a frame', () => {
    const building = builder();
    const next = seededNumbers(9);
    const expected = new Map<string, PlanExtent[]>();
    for (let number = 0; number < 5000; number += 1) {
      const frame = place(Math.floor(next() * 3), Math.floor(next() * 50) * 10);
      const extent = { file: building.addFile(fileOf(number)), inFrame: number, length: 1, inFile: number };
      building.addExtent(frame, extent);
      const key = `${frame.archive} ${String(frame.offset).padStart(4, '0')}`;
      expected.set(key, [...(expected.get(key) ?? []), extent]);
    }
    const plan = new Plan(building.build().plan);
    expect(allExtents(plan)).toEqual([...expected.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, extents]) => extents));
  });

  test('frames that hold none are put where they belong, and one that is named twice is there once', () => {
    const building = builder();
    const file = building.addFile(fileOf(1));
    building.addExtent(place(0, 50), { file, inFrame: 0, length: 1, inFile: 0 });
    building.addExtent(place(1, 10), { file, inFrame: 1, length: 1, inFile: 1 });
    for (const frame of [place(1, 99), place(0, 0), place(0, 50), place(1, 0), place(2, 5)]) building.addFrame(frame);
    const plan = new Plan(building.build().plan);
    expect(frames(plan)).toEqual([place(0, 0), place(0, 50), place(1, 0), place(1, 10), place(1, 99), place(2, 5)]);
    expect(allExtents(plan).map((extents) => extents.length)).toEqual([0, 1, 0, 1, 0, 0]);
  });

  test('a frame that is named twice is read once: the second would take the bytes of the one behind it', () => {
    const building = builder();
    const file = building.addFile(fileOf(1));
    building.addExtent(place(0, 50), { file, inFrame: 0, length: 1, inFile: 0 });
    for (const frame of [place(0, 0), place(0, 0), place(0, 50), place(0, 50), place(1, 7), place(1, 7)]) building.addFrame(frame);
    expect(frames(new Plan(building.build().plan))).toEqual([place(0, 0), place(0, 50), place(1, 7)]);
  });

  test('none at all', () => {
    const plan = new Plan(builder().build().plan);
    expect([plan.files, plan.frames]).toEqual([0, 0]);
  });
});

test('threads that share a plan see what the others did: one creates, one is the last, one marks', () => {
  const building = builder();
  building.addFile(fileOf(0));
  building.addFile({ ...fileOf(1), extents: 3 });
  const memory = building.build().plan;
  const [one, two] = [new Plan(memory), new Plan(memory)];
  expect([one.claimCreation(1), two.claimCreation(1), two.isCreated(1)]).toEqual([true, false, false]);
  one.setCreated(1);
  expect(two.isCreated(1)).toBe(true);
  expect([one.extentDone(1), two.extentDone(1), one.extentDone(1)]).toEqual([false, false, true]);
  expect([one.markDamaged(1), two.markDamaged(1), two.isDamaged(1), two.isDamaged(0)]).toEqual([true, false, true, false]);
});
