import { describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { noticeInGerman } from '../../main/contract/notice-words-de.ts';
import type { Notice } from '../../main/contract/notices.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { tellingAfter, tellingOverdue } from '../../main/engine/service/notices.ts';
import { settle } from '../support/fake-clock.ts';
import { failed, job, jobEvent, notifierWorld, start } from '../support/notifier-world.ts';

const hour = 3_600_000;
const never = (): null => null;

/** Tells the notices of a row of jobs, an hour apart: `kind repeats` each, `-` for none. */
function row(jobs: readonly Job[], apart = hour): string[] {
  let told = {};
  return jobs.map((one, index) => {
    const telling = tellingAfter(one, { slug: 'survival', name: 'Survival', now: start + index * apart, told });
    told = telling.told;
    return telling.notices.map(({ kind, repeats }) => `${kind} ${repeats}`).join(' ') || '-';
  });
}

describe('what is told after a job', () => {
  const ok = job({});

  test('a failure once, its repeats once a day with their number, another cause at once, and that it works again', () => {
    expect(row([ok, failed('unavailable'), failed('unavailable'), failed('quota-exceeded'), failed('unavailable'), ok, ok])).toEqual([
      '-',
      'failed 0',
      '-',
      'failed 0',
      '-',
      'recovered 0',
      '-',
    ]);
    const day = Array.from({ length: 26 }, () => failed('unavailable'));
    expect(row(day).filter((line) => line !== '-')).toEqual(['failed 0', 'failed 23']);
  });

  test('an ended sign-in and a failed test restore have kinds of their own; each is taken back by its like', () => {
    expect(
      row([failed('sign-in-needed'), failed('corrupt', 'drill'), ok, job({ kind: 'drill' }), failed('corrupt', 'verify'), ok]),
    ).toEqual(['sign-in-needed 0', 'drill-failed 0', 'recovered 0', 'recovered 0', 'failed 0', '-']);
  });

  test('a check of less than all takes no failure back', () => {
    const whole = job({ kind: 'verify', destination: 'nas' });
    const bad: Job = { ...failed('corrupt', 'verify'), destination: 'nas' };
    expect(row([bad, { ...whole, partial: true }, whole])).toEqual(['failed 0', '-', 'recovered 0']);
  });

  test('a check that did not come to its end says nothing of what is stored', () => {
    const title = (one: Job): string | undefined =>
      tellingAfter(one, { slug: 's', name: 'S', now: start, told: {} }).notices.map(
        (notice) => `${notice.title}; ${noticeInGerman(notice).title}`,
      )[0];
    expect(title(failed('corrupt', 'verify'))).toBe(
      'S: a stored snapshot is not as it should be; S: ein gespeicherter Stand ist nicht, wie er sein soll',
    );
    for (const one of [failed('unavailable', 'verify'), job({ kind: 'verify', state: 'interrupted' })])
      expect(title(one)).toBe('S: the stored snapshots could not be checked; S: die gespeicherten Stände konnten nicht geprüft werden');
  });

  test('what was cancelled is nobody’s news; what was cut off is', () => {
    expect(row([job({ state: 'cancelled' }), job({ state: 'interrupted' })])).toEqual(['-', 'failed 0']);
  });

  test('a place that is nearly full is told once a week, with the success that found it', () => {
    const near = job({ warnings: [{ code: 'quota-near', message: 'nas: 1 GiB of 100 GiB are free', level: 'note' }] });
    expect(row([near, near, ok, near], 24 * hour)).toEqual(['quota-near 0', '-', '-', 'quota-near 0']);
    expect(
      row(
        Array.from({ length: 9 }, () => near),
        24 * hour,
      ).filter((line) => line !== '-'),
    ).toEqual(['quota-near 0', 'quota-near 6']);
    const full = (...places: string[]): Job =>
      job({ warnings: places.map((destination) => ({ code: 'quota-near', message: `${destination}: full`, destination, level: 'note' })) });
    expect(row([full('a'), full('a', 'b'), full('b'), full('a', 'b')])).toEqual(['quota-near 0', 'quota-near 0', '-', 'quota-near 0']);
  });

  test('each names its cause and a next step', () => {
    for (const code of ['unavailable', 'quota-exceeded', 'wrong-password', 'sign-in-needed', 'locked'] as const) {
      const [notice] = tellingAfter(failed(code), { slug: 's', name: 'S', now: start, told: {} }).notices;
      expect([notice?.text, (notice?.next ?? '').length > 10]).toEqual([`because of ${code}`, true]);
    }
  });

  test('a clock that was set back silences nothing for long', () => {
    const told = { 'backup/unavailable': { at: start + 400 * 24 * hour, times: 0 } };
    expect(tellingAfter(failed('unavailable'), { slug: 's', name: 'S', now: start, told }).notices).toHaveLength(1);
  });

  test('overdue is told once a day until a backup ends well', () => {
    const about = { slug: 's', name: 'S', now: start };
    const overdue = { since: start, why: 'No backup has ended well for two intervals.', next: 'Look.' };
    const first = tellingOverdue(overdue, { ...about, told: {} });
    const second = tellingOverdue(overdue, { ...about, now: start + hour, told: first.told });
    const third = tellingOverdue(overdue, { ...about, now: start + 25 * hour, told: second.told });
    // Each look is the same news, not a new case of it, and nothing is to be written each minute.
    expect([first, second, third].map(({ notices }) => notices.map(({ kind, repeats }) => `${kind} ${String(repeats)}`))).toEqual([
      ['overdue 0'],
      [],
      ['overdue 0'],
    ]);
    expect(second.told).toBe(first.told);
    expect(tellingAfter(ok, { ...about, told: third.told })).toMatchObject({ told: {}, notices: [{ kind: 'recovered' }] });
  });
});

describe('sending', () => {
  test('goes to those who want the server and the kind; a ping is told of every start and end of a backup', async () => {
    const { notifier, sent, pinged } = notifierWorld([
      { kind: 'webhook', name: 'all' },
      { kind: 'webhook', name: 'other', servers: ['creative'] },
      { kind: 'webhook', name: 'overdue-only', only: ['overdue'] },
      { kind: 'ping', name: 'dead-man' },
    ]);
    notifier.event(jobEvent(job({ state: 'running', endedAt: null })));
    notifier.event(jobEvent(failed('unavailable')));
    notifier.event(jobEvent(job({ state: 'running', endedAt: null, kind: 'verify' })));
    notifier.event(jobEvent(job({})));
    await notifier.idle();
    expect(sent).toEqual(['all failed', 'all recovered']);
    // Of a run that the end of the program cut off, too: it is told at the next start.
    notifier.event(jobEvent(job({ state: 'interrupted' })));
    await notifier.idle();
    const url = 'secret of notice/dead-man/url';
    expect(pinged).toEqual([`start ${url}`, `fail ${url}`, `success ${url}`, `fail ${url}`]);
  });

  test('a start gets an end also where somebody cancels the backup; one that never began has neither, and one that stops with the service a new start', async () => {
    const { notifier, pinged } = notifierWorld([{ kind: 'ping', name: 'dead-man' }]);
    const cancelled = (more: Partial<Job>, context: Fault['context'] = {}): Job =>
      job({ state: 'cancelled', fault: new Fault('cancelled', 'cancelled', { context }).toWire(), ...more });
    notifier.event(jobEvent(cancelled({ startedAt: null }, { by: 'person' })));
    notifier.event(jobEvent(job({ state: 'running', endedAt: null })));
    notifier.event(jobEvent(cancelled({})));
    notifier.event(jobEvent(job({ state: 'running', endedAt: null, id: 'b' })));
    notifier.event(jobEvent(cancelled({ id: 'b' }, { by: 'person' })));
    await notifier.idle();
    expect(pinged.map((text) => text.split(' ')[0])).toEqual(['start', 'start', 'fail']);
  });

  test('a start that did not arrive is not sent once its end is known', async () => {
    let isUp = false;
    const ping = (): Promise<void> => (isUp ? Promise.resolve() : Promise.reject(new Fault('unavailable', 'nobody there')));
    const { notifier, clock, pinged } = notifierWorld([{ kind: 'ping', name: 'dead-man' }], undefined, { ping });
    notifier.event(jobEvent(job({ state: 'running', endedAt: null })));
    await settle();
    isUp = true;
    notifier.event(jobEvent(job({})));
    await settle();
    await clock.advance(60_000);
    await notifier.idle();
    expect(pinged).toEqual(['success secret of notice/dead-man/url']);
  });

  test('what does not arrive is tried three times, then logged; nothing is thrown', async () => {
    const { notifier, clock, sent, lost } = notifierWorld([{ kind: 'webhook', name: 'down' }], () =>
      Promise.reject(new Fault('unavailable', 'example.org could not be reached')),
    );
    notifier.event(jobEvent(failed('timeout')));
    for (let round = 0; round < 3; round += 1) {
      await settle();
      await clock.advance(60_000);
    }
    await notifier.idle();
    expect([sent.length, lost]).toEqual([3, ['down: example.org could not be reached']]);
  });

  test('a receiver that never answers is given up in time', async () => {
    const { notifier, clock, lost } = notifierWorld(
      [{ kind: 'webhook', name: 'hangs' }],
      (_target, _notice, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Fault('unsupported', 'cut')))),
    );
    notifier.event(jobEvent(failed('timeout')));
    await settle();
    await clock.advance(21_000);
    await notifier.idle();
    expect(lost).toEqual(['hangs: cut']);
  });

  test('what is about no server and did not arrive is sent again every hour, to that target alone, as long as it holds', async () => {
    let isUp = false;
    let holds = true;
    const { notifier, clock, sent } = notifierWorld(
      [
        { kind: 'webhook', name: 'up' },
        { kind: 'webhook', name: 'down' },
      ],
      ({ name }) => (name === 'up' || isUp ? Promise.resolve() : Promise.reject(new Fault('unsupported', 'no'))),
    );
    const about = (text: string): Notice => ({ kind: 'settings', server: '', title: 't', text, next: 'n', at: start, repeats: 0 });
    const look = async (): Promise<void> => {
      notifier.look([], never, never);
      await notifier.idle();
    };
    notifier.tell(about('first'), () => true);
    notifier.tell(about('second'), () => holds);
    await notifier.idle();
    expect(sent.splice(0)).toHaveLength(4);
    await clock.advance(hour / 2);
    await look();
    expect(sent).toEqual([]);
    holds = false;
    await clock.advance(hour / 2);
    await look();
    expect(sent.splice(0)).toEqual(['down settings']);
    isUp = true;
    await clock.advance(hour);
    await look();
    await clock.advance(hour);
    await look();
    expect(sent).toEqual(['down settings']);
  });

  test('a server that stays at rest is told of once a day, from the job that left it so on, and again once it has gone on in between', async () => {
    const { notifier, clock, store, sent } = notifierWorld([{ kind: 'webhook', name: 'all' }]);
    const status = {
      settings: { slug: 'survival', name: 'Survival' },
      state: 'failed',
      running: null,
      why: 'w',
      next: 'n',
    } as ServerStatus;
    const look = async (stuck: string | null): Promise<string[]> => {
      notifier.look([status], never, () => stuck);
      await notifier.idle();
      return sent.splice(0);
    };
    const resume = { code: 'quiesce-resume', message: 'nobody answers' } as const;
    notifier.event(jobEvent(job({ state: 'cancelled', warnings: [resume] })));
    await notifier.idle();
    expect(sent.splice(0)).toEqual(['all failed']);
    const { told } = store.facts('survival');
    expect(await look('nobody answers')).toEqual([]);
    // Nothing is to be written each minute.
    expect(store.facts('survival').told).toBe(told);
    await clock.advance(24 * hour);
    expect(await look('nobody answers')).toEqual(['all failed']);
    expect(await look(null)).toEqual([]);
    expect(await look('nobody answers')).toEqual(['all failed']);
  });

  test('overdue is found by looking, whatever the scheduler does, and not while somebody has paused it', async () => {
    const { notifier, sent } = notifierWorld([{ kind: 'webhook', name: 'all' }]);
    const status = (state: ServerStatus['state'], pausedUntil: number | null = null): ServerStatus =>
      ({ settings: { slug: 's', name: 'S' }, state, pausedUntil, running: null, why: 'w', next: 'n' }) as ServerStatus;
    notifier.look([status('paused', 0)], () => start - 1, never);
    notifier.look([status('ok')], never, never);
    notifier.look([status('ok')], () => start + 1, never);
    await notifier.idle();
    expect(sent).toEqual([]);
    // A battery, a metered line or a locked keychain holds it up, and nobody may have noticed.
    notifier.look([status('paused')], () => start - 1, never);
    notifier.look([status('overdue')], () => start - 1, never);
    await notifier.idle();
    expect(sent).toEqual(['all overdue']);
  });
});
