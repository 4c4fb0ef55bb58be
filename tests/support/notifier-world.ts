import type { ServiceEvent } from '../../main/contract/events.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { noticeTargetSchema, type Notice, type NoticeTarget } from '../../main/contract/notices.ts';
import { createNotifier, type Notifier } from '../../main/engine/service/notifier.ts';
import type { StateStore } from '../../main/engine/service/ports.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { memoryStore } from './service-world.ts';

/** When these tests begin. */
export const start = Date.UTC(2026, 10, 23);

export function job(more: Partial<Job>): Job {
  return {
    ...{
      id: 'a',
      kind: 'backup',
      server: 'survival',
      destination: null,
      state: 'done',
      reason: 'schedule',
      queuedAt: start,
      startedAt: start,
    },
    ...{ endedAt: start, progress: null, summary: 'Snapshot x was written.', snapshot: 'x', unchanged: false, bytes: 1, storedBytes: 1 },
    ...{ warnings: [], fault: null },
    ...more,
  };
}

export const failed = (code: Fault['code'], kind: Job['kind'] = 'backup'): Job =>
  job({ kind, state: 'failed', fault: new Fault(code, `because of ${code}`).toWire() });

export const jobEvent = (one: Job): ServiceEvent => ({ event: 'job', data: one });

export interface NotifierWorld {
  readonly notifier: Notifier;
  readonly clock: FakeClock;
  readonly store: StateStore;
  readonly sent: string[];
  readonly pinged: string[];
  readonly lost: string[];
}

export interface NotifierWorldOptions {
  readonly store?: StateStore;
  readonly clock?: FakeClock;
  readonly isKept?: (slug: string) => boolean;
  readonly ping?: (event: string) => Promise<void>;
  /** What the keychain gives for a name. */
  readonly secret?: (name: string) => Promise<string | null>;
}

/** The real notifier; what it sends is written down, and `deliver` may lose it. */
export function notifierWorld(
  targets: readonly object[],
  deliver?: (target: NoticeTarget, notice: Notice, signal: AbortSignal) => Promise<void>,
  options: NotifierWorldOptions = {},
): NotifierWorld {
  const clock = options.clock ?? fakeClock({ now: start });
  const store = options.store ?? memoryStore(start);
  const [sent, pinged, lost] = [[] as string[], [] as string[], [] as string[]];
  const keychain = {
    describe: () => Promise.reject(new Error('not asked')),
    exists: () => Promise.resolve(true),
    names: () => Promise.resolve([]),
    set: () => Promise.resolve(),
    get: options.secret ?? ((name: string) => Promise.resolve(`secret of ${name}`)),
  };
  const notifier = createNotifier({
    ...{ clock, store },
    targets: () => targets.map((target) => noticeTargetSchema.parse(target)),
    keychain: () => Promise.resolve(keychain),
    isKept: options.isKept ?? (() => true),
    deliver: async (target, _secrets, notice, signal) => {
      sent.push(`${target.name} ${notice.kind}`);
      await deliver?.(target, notice, signal);
    },
    ping: async (secrets, event) => {
      await options.ping?.(event);
      pinged.push(`${event} ${secrets['url'] ?? ''}`);
    },
    onNotice: () => undefined,
    onUndelivered: (target, message) => lost.push(`${target}: ${message}`),
  });
  return { notifier, clock, store, sent, pinged, lost };
}
