import { describe, expect, it } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { afterUndoing } from '../../main/engine/snapshots/after-undoing.ts';

describe('a restore that fails', () => {
  const damage = new Fault('corrupt', 'a frame is damaged', { operation: 'restore', context: { object: 'world/1.holdfast' } });

  it('ends with its own fault once what it had built is gone', async () => {
    let undone = 0;
    expect(await afterUndoing(damage, async () => void (undone += 1))).toBe(damage);
    expect(undone).toBe(1);
  });

  it('keeps the code and the object of its own fault where that cannot be removed, and tells both', async () => {
    const fault = await afterUndoing(damage, () => Promise.reject(new Error('EIO: i/o error')));
    expect(fault).toMatchObject({ code: 'corrupt', context: { object: 'world/1.holdfast' }, operation: 'restore' });
    expect(fault.message).toMatch(/^a frame is damaged; .*EIO/);
  });

  it('stays cancelled where it was cancelled', async () => {
    const stopped = new DOMException('stop', 'AbortError');
    expect(await afterUndoing(stopped, () => Promise.reject(new Error('EIO')))).toMatchObject({ code: 'cancelled' });
  });
});
