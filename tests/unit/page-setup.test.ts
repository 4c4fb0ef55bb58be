import { describe, expect, it } from 'vitest';
import { decideRetention } from '../../main/engine/retention/decide.ts';
import { policyOf } from '../../main/engine/service/backup-job.ts';
import { newest } from '../../renderer/client/newest.ts';
import { runsBefore } from '../../renderer/views/schedule/runs-before.ts';
import { freeSlug } from '../../renderer/views/wizard/slugs.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 23, 14, 2);

function every(step: number, from = now + 58 * 60_000): readonly number[] {
  return Array.from({ length: 50 }, (_, index) => from + index * step);
}

describe('the runs of the half year before', () => {
  it.each([
    ['an hour', hour, 183 * 24],
    ['four hours', 4 * hour, 183 * 6],
    ['a day', day, 183],
    ['a week', 7 * day, 26],
    ['a month', 30 * day, 6],
  ])('%s apart: as many as fit, as far apart, none of them to come', (_, step, count) => {
    const times = runsBefore(every(step), now, 183 * day);
    expect(times.length).toBeGreaterThanOrEqual(count - 1);
    expect(times.length).toBeLessThanOrEqual(count + 1);
    expect(Math.max(...times)).toBeLessThanOrEqual(now);
    expect(Math.max(...times)).toBeGreaterThan(now - step);
    for (const [index, time] of times.slice(1).entries()) expect((times[index] ?? 0) - time).toBe(step);
  });

  it('keeps the pattern of runs on working days', () => {
    const first = Date.UTC(2026, 10, 24, 3, 30);
    const coming = Array.from({ length: 80 }, (_, index) => first + index * day)
      .filter((time) => ![0, 6].includes(new Date(time).getUTCDay()))
      .slice(0, 50);
    const times = runsBefore(coming, now, 183 * day);
    expect(times.filter((time) => [0, 6].includes(new Date(time).getUTCDay()))).toEqual([]);
    expect(Math.abs(times.length - (183 / 7) * 5)).toBeLessThan(3);
  });

  it('never asks for more than the service takes, and for nothing where nothing is to come', () => {
    expect(runsBefore(every(60_000), now, 183 * day)).toHaveLength(10_000);
    expect(runsBefore([], now, 183 * day)).toEqual([]);
  });

  it('shows the tiers of the defaults whole', () => {
    const times = runsBefore(every(4 * hour), now, 183 * day);
    const candidates = times.map((time, index) => ({ id: String(index), time, complete: true }));
    const { keep } = decideRetention(candidates, policyOf({ last: 3, daily: 7, weekly: 4, monthly: 6 }), { zone: 'Europe/Berlin', now });
    const of = (tier: string): number => keep.filter(({ reasons }) => reasons.some((reason) => reason.includes(tier))).length;
    expect(['last', 'daily', 'weekly', 'monthly'].map(of)).toEqual([3, 7, 4, 6]);
  });
});

describe('a name for a place or server', () => {
  it.each([
    ['Créative Wörld', 'creative-world'],
    ['Straße 7', 'strasse-7'],
    ['…', 'server'],
    ['taken', 'taken-2'],
  ])('%s becomes %s', (text, slug) => expect(freeSlug(text, (name) => name === 'taken')).toBe(slug));
});

describe('asking only the newest', () => {
  it('asks one at a time, leaves out what was overtaken, and tells nothing that is old', async () => {
    const asked: string[] = [];
    const told: string[] = [];
    const answers: ((answer: string) => void)[] = [];
    const ask = newest(
      (question: string) => {
        asked.push(question);
        return new Promise<string>((settle) => answers.push(settle));
      },
      (answer, question) => told.push(`${question} ${answer}`),
      () => told.push('failed'),
    );
    for (const question of ['a', 'ab', 'abc']) ask(question);
    expect(asked).toEqual(['a']);
    answers[0]?.('old');
    await new Promise(setImmediate);
    expect([asked, told]).toEqual([['a', 'abc'], []]);
    answers[1]?.('new');
    await new Promise(setImmediate);
    expect(told).toEqual(['abc new']);
  });

  it('ends the one that a newer one has overtaken, and no other', async () => {
    const signals: AbortSignal[] = [];
    const told: string[] = [];
    const ask = newest(
      (question: string, stale) => {
        signals.push(stale);
        return new Promise<string>((settle, reject) => {
          stale.addEventListener('abort', () => reject(new Error('ended')));
          if (question === 'ab') settle('answer');
        });
      },
      (answer, question) => told.push(`${question} ${answer}`),
      (error) => told.push(String(error)),
    );
    for (const question of ['a', 'ab']) ask(question);
    await new Promise(setImmediate);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(told).toEqual(['ab answer']);
  });

  it('goes on after a failure', async () => {
    const told: string[] = [];
    const ask = newest(
      (question: string) => (question === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve(question)),
      (answer) => told.push(answer),
      (error) => told.push(String(error)),
    );
    ask('bad');
    await new Promise(setImmediate);
    ask('good');
    await new Promise(setImmediate);
    expect(told).toEqual(['Error: no', 'good']);
  });
});
