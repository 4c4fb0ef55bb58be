import { resolveObjectURL } from 'node:buffer';
import { afterEach, expect, test, vi } from 'vitest';
import { passingLink } from '../../renderer/client/passing-link.ts';

afterEach(() => void vi.useRealTimers());

test('what is downloaded can be read for a minute after the click: some browsers read it only then', async () => {
  vi.useFakeTimers();
  const link = passingLink(new Blob(['words']));
  vi.advanceTimersByTime(59_999);
  expect(await resolveObjectURL(link)?.text()).toBe('words');
  vi.advanceTimersByTime(1);
  expect(resolveObjectURL(link)).toBeUndefined();
});
