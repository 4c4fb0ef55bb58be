import { expect, test, vi } from 'vitest';
import type { ServiceEvent } from '../../main/contract/events.ts';
import type { Bridge } from '../../renderer/client/bridge.ts';

const electron = vi.hoisted(() => ({
  exposed: new Map<string, unknown>(),
  listeners: new Map<string, (event: unknown, data: unknown) => void>(),
  invoked: [] as unknown[],
}));
vi.mock('electron', () => ({
  contextBridge: { exposeInMainWorld: (name: string, value: unknown) => void electron.exposed.set(name, value) },
  ipcRenderer: {
    invoke: async (...args: unknown[]) => {
      electron.invoked.push(args);
      return { ok: true, value: 'answer' };
    },
    on: (channel: string, listener: (event: unknown, data: unknown) => void) => void electron.listeners.set(channel, listener),
    off: (channel: string, listener: unknown) => {
      if (electron.listeners.get(channel) === listener) electron.listeners.delete(channel);
    },
  },
}));

test('puts call, cancel and subscribe into the window, and nothing else', async () => {
  await import('../../preload/index.ts');
  expect([...electron.exposed.keys()]).toEqual(['holdfast']);
  const bridge = electron.exposed.get('holdfast') as Bridge;
  expect(Object.keys(bridge).sort()).toEqual(['call', 'cancel', 'subscribe']);

  expect(await bridge.call('servers.list', { a: 1 })).toEqual({ ok: true, value: 'answer' });
  bridge.cancel('7');
  expect(electron.invoked).toEqual([
    ['holdfast:call', 'servers.list', { a: 1 }, undefined],
    ['holdfast:cancel', '7'],
  ]);

  const heard: ServiceEvent[] = [];
  const stop = bridge.subscribe((event) => heard.push(event));
  const event: ServiceEvent = { event: 'server-removed', data: { slug: 'creative' } };
  // Electron's own event object, with the sender in it, stays outside the page.
  electron.listeners.get('holdfast:event')?.({ sender: 'secret' }, event);
  expect(heard).toEqual([event]);
  stop();
  expect(electron.listeners.size).toBe(0);
});
