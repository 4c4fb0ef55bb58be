import { expect, test } from 'vitest';
import { wakingClock } from '../../main/compose/service/waking-clock.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';

const hour = 3_600_000;

test('a sleep ends when it is woken, and the next one sleeps again', async () => {
  const clock = wakingClock(systemClock);
  const first = clock.sleep(hour);
  clock.wake();
  await first;
  const stop = new AbortController();
  const second = clock.sleep(hour, stop.signal);
  stop.abort();
  await expect(second).rejects.toMatchObject({ code: 'cancelled' });
});

test('woken while it is told to stop, it is told to stop', async () => {
  const clock = wakingClock(systemClock);
  const stop = new AbortController();
  const sleep = clock.sleep(hour, stop.signal);
  stop.abort();
  clock.wake();
  await expect(sleep).rejects.toMatchObject({ code: 'cancelled' });
});

test('a clock that fails is no waking', async () => {
  const clock = wakingClock({ now: () => 7, sleep: () => Promise.reject(new Error('broken')) });
  await expect(clock.sleep(1)).rejects.toThrow('broken');
  expect(clock.now()).toBe(7);
});
