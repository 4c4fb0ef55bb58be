import { asFault, Fault } from '../../contract/faults.ts';
import { sayOf } from '../../contract/sayings.ts';
import { nextStep } from '../../contract/fault-texts.ts';
import type { DestinationCheck } from '../../contract/reports.ts';
import type { Clock, Random } from '../ports.ts';
import type { Backend, CallOptions, Finding, ObjectInfo, ObjectKey } from './backend.ts';
import { runningChecksum } from './checksum.ts';
import { probePrefix, randomName, sweepProbes, timedPut } from './clock-offset.ts';
import { readBytes } from './read-object.ts';
import { uploadBytes } from './upload-object.ts';
import { statIfThere } from './stat-if-there.ts';

export interface CheckOptions extends CallOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each check before it is made. */
  readonly onBegin?: ((name: string) => void) | undefined;
}

export const largestClockOffsetMs = 10 * 60_000;

const probeSize = 100_000;

/**
 * Tries everything a backup needs of a destination on small objects below `holdfast.test-<random>/`, which are gone afterwards whatever
 * happened. One result after the other; when nothing can be written the rest is left out. Throws only fault cancelled.
 */
export async function* checkDestination(backend: Backend, options: CheckOptions): AsyncGenerator<DestinationCheck, void, undefined> {
  const { clock, random, signal } = options;
  const call: CallOptions = { signal };
  const folder = `${probePrefix}${randomName(random)}/`;
  const probe = `${folder}probe`;
  const once = `${folder}once`;
  const content = random.bytes(probeSize);
  const changed = random.bytes(probeSize + 1);
  let stored = content;
  let offsetMs = 0;
  let cleaned = false;
  /** Of other tests. */
  const others: ObjectInfo[] = [];

  const checks: readonly (readonly [string, () => Promise<Finding>])[] = [
    [
      'write',
      async () => {
        const { info, offsetMs: measured } = await timedPut(backend, probe, content, clock, call);
        offsetMs = measured;
        return info.size === probeSize ? `${probeSize} bytes were written` : wrong(`${info.size} bytes arrived of ${probeSize}`);
      },
    ],
    ['read', async () => sameOrWrong(await readBytes(backend, probe, { ...call, limit: probeSize }), content)],
    [
      'range',
      async () => {
        const range = { offset: 4_321, length: 12_345 };
        return sameOrWrong(await readBytes(backend, probe, { ...call, range, limit: probeSize }), content.subarray(4_321, 4_321 + 12_345));
      },
    ],
    [
      'list',
      async () => {
        const keys: string[] = [];
        for await (const info of backend.list(probePrefix, call)) {
          if (info.key.startsWith(folder)) keys.push(info.key);
          else if (isOfTest(info.key)) others.push(info);
        }
        return keys.length === 1 && keys[0] === probe
          ? 'what was written is listed'
          : wrong(`listed were ${keys.join(', ') || 'no objects'}`);
      },
    ],
    [
      'overwrite',
      async () => {
        await uploadBytes(backend, probe, changed, call);
        stored = changed;
        return sameOrWrong(await readBytes(backend, probe, { ...call, limit: changed.byteLength }), changed);
      },
    ],
    ['create once', async () => await createOnce(backend, once, call)],
    ['checksum', async () => await compareChecksum(backend, probe, stored, call)],
    ...(backend.info.ownChecks ?? []).map((own) => [own.name, () => own.run(probe, call)] as const),
    [
      'clock',
      async () => {
        const seconds = Math.round(offsetMs / 1000);
        if (Math.abs(offsetMs) <= largestClockOffsetMs) return `the clocks differ by ${Math.abs(seconds)} seconds`;
        return {
          problem: `this computer's clock is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'behind' : 'ahead of'} the backup place's`,
          next: 'Set the clock of this computer, best by switching on its time synchronisation; old snapshots are not removed until then.',
        };
      },
    ],
    [
      'delete',
      async () => {
        await removeAll();
        return (await statIfThere(backend, probe, call)) !== null
          ? wrong('what was removed is still there')
          : 'what was written could be removed';
      },
    ],
    [
      'leftovers',
      async () => {
        const now = clock.now() + offsetMs;
        await sweepTests(backend, others, now, call);
        return await countLeftovers(backend, now, call);
      },
    ],
  ];

  async function removeAll(): Promise<void> {
    for (const key of [probe, once]) await backend.remove(key);
    for await (const { token } of backend.openUploads(folder)) await backend.abandon(token);
    cleaned = true;
  }

  try {
    for (const [name, check] of checks) {
      options.onBegin?.(name);
      const result = await outcome(name, check);
      yield result;
      if (name === 'write' && !result.ok) return;
    }
  } finally {
    // What keeps this from working has been told as the check `delete` or `write`.
    if (!cleaned) await removeAll().catch((error: unknown) => asFault(error, 'remove'));
  }
}

async function outcome(name: string, check: () => Promise<Finding>): Promise<DestinationCheck> {
  try {
    const finding = await check();
    if (typeof finding === 'string') return { name, ok: true, message: finding, next: '' };
    return { name, ok: false, message: finding.problem, next: finding.next };
  } catch (error) {
    return failedCheck(name, asFault(error, name));
  }
}

function wrong(problem: string): Finding {
  return { problem, next: 'This place does not keep what it is given: choose another one, or ask its maker.' };
}

function sameOrWrong(found: Uint8Array, expected: Uint8Array): Finding {
  const same = found.byteLength === expected.byteLength && found.every((byte, index) => byte === expected[index]);
  return same ? `${found.byteLength} bytes came back as they were` : wrong('other bytes came back than were written');
}

/** Only told, never wrong: nothing but the making of a vault by two computers at once is safer with it. */
async function createOnce(backend: Backend, key: string, call: CallOptions): Promise<Finding> {
  await uploadBytes(backend, key, new Uint8Array([1]), { ...call, ifAbsent: true });
  try {
    await uploadBytes(backend, key, new Uint8Array([2]), { ...call, ifAbsent: true });
  } catch (error) {
    if (error instanceof Fault && error.code === 'already-exists') return 'an existing object is not replaced by one that must be new';
    throw error;
  }
  return 'this place cannot keep two computers from creating the same object at once';
}

async function compareChecksum(backend: Backend, key: string, content: Uint8Array, call: CallOptions): Promise<Finding> {
  const { checksum } = await backend.stat(key, call);
  const ours = runningChecksum(checksum?.algorithm);
  if (checksum === undefined || ours === null) return 'this place gives no checksum to compare; “holdfast verify” reads the data itself';
  ours.update(content);
  return ours.hex() === checksum.hex ? `the ${checksum.algorithm} checksum is right` : wrong(`the ${checksum.algorithm} checksum is wrong`);
}

async function countLeftovers(backend: Backend, now: number, call: CallOptions): Promise<Finding> {
  let count = 0;
  let oldest = now;
  for await (const { startedAt } of backend.openUploads('', call)) {
    count++;
    oldest = Math.min(oldest, startedAt);
  }
  if (count === 0) return 'no unfinished uploads are left';
  return `${count} unfinished uploads, the oldest ${Math.floor((now - oldest) / 3_600_000)} hours old`;
}

/** So long a test that somebody makes elsewhere may take, by the provider's clock. */
const longestTestMs = 3_600_000;

function isOfTest(key: ObjectKey): boolean {
  return /^[0-9a-f]{16}\/(probe|once)$/.test(key.slice(probePrefix.length));
}

/** What tests left that were killed, of `found` objects and of uploads. */
async function sweepTests(backend: Backend, found: readonly ObjectInfo[], now: number, call: CallOptions): Promise<void> {
  const isOver = (since: number): boolean => now - since > longestTestMs;
  const left = found.filter(({ modifiedAt }) => isOver(modifiedAt));
  // That nothing may be removed, the check `delete` has told.
  await sweepProbes(backend, left, call);
  for await (const { token, startedAt } of backend.openUploads(probePrefix, call))
    if (isOver(startedAt)) await backend.abandon(token, call);
}

/** A fault as the finding of a check; one that was cancelled is thrown. */
export function failedCheck(name: string, fault: Fault): DestinationCheck {
  if (fault.code === 'cancelled') throw fault;
  const said = sayOf(fault);
  return { name, ok: false, message: fault.message, next: nextStep(fault), code: fault.code, ...(said === null ? {} : { say: said }) };
}
