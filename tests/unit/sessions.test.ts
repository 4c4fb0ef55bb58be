import { expect, onTestFinished, test } from 'vitest';
import { serveHttp } from '../../main/compose/service/http-server.ts';
import { sessions } from '../../main/compose/service/sessions.ts';
import { halfHeader } from '../../main/contract/door-paths.ts';
import { access } from '../../main/compose/service/token.ts';
import { handlersOn } from '../../main/compose/handlers-on.ts';

const token = 'a'.repeat(64);
const name = 'holdfast_session_4711';
const day = 86_400_000;
const valueIn = (cookie: string): string => cookie.slice(0, cookie.indexOf(';'));

test('a session needs both halves, of one sign-in and of this token', () => {
  const own = sessions(token, () => 0);
  const [one, other] = [own.begin(name), own.begin(name)];
  const cookie = valueIn(one.cookie);
  expect(own.look(name, cookie, one.half)).toEqual({ renewed: null });
  expect(own.look(name, cookie, undefined)).toBeNull();
  expect(own.look(name, undefined, one.half)).toBeNull();
  expect(own.look(name, cookie, other.half)).toBeNull();
  expect(own.look('holdfast_session_4712', cookie, one.half)).toBeNull();
  expect(own.look(name, cookie, `${one.half.slice(1)}é`)).toBeNull();
  // The token file was removed: all sessions have ended.
  expect(sessions('b'.repeat(64), () => 0).look(name, cookie, one.half)).toBeNull();
});

test('it ends a week after it was used last, and its other half stays the same', () => {
  let now = 1_000;
  const own = sessions(token, () => now);
  const { cookie, half } = own.begin(name);
  now += day;
  expect(own.look(name, valueIn(cookie), half)).toEqual({ renewed: null });
  now += 1;
  const renewed = own.look(name, valueIn(cookie), half)?.renewed ?? '';
  expect(renewed).toMatch(/; HttpOnly; SameSite=Strict; Path=\/api; Max-Age=604800$/);
  now = 1_000 + 7 * day;
  expect(own.look(name, valueIn(cookie), half)).toBeNull();
  expect(own.look(name, valueIn(renewed), half)).not.toBeNull();
  now += day + 1;
  expect(own.look(name, valueIn(renewed), half)).toBeNull();
});

test('one that a clock a year ahead began is put right once the clock is', () => {
  let now = 365 * day;
  const own = sessions(token, () => now);
  const { cookie, half } = own.begin(name);
  now = 0;
  const renewed = own.look(name, valueIn(cookie), half)?.renewed ?? '';
  now = 7 * day;
  expect(own.look(name, valueIn(renewed), half)).toBeNull();
});

test('a browser that listens must ask anew after a while, and gets its session renewed; a program with the token listens on', async () => {
  let now = 1_000;
  const door = access(token, () => now);
  const listening = new Set<object>();
  const http = await serveHttp({
    handlers: handlersOn(() => Promise.reject(new Error('nothing is asked'))),
    subscribe: (listener) => {
      listening.add(listener);
      return () => listening.delete(listener);
    },
    ...{ access: door, port: 0, listenMs: 1 },
  });
  onTestFinished(() => http.close());
  const { cookie, half } = door.sessions.begin(`holdfast_session_${http.port}`);
  now += 2 * day;
  const stop = new AbortController();
  const listen = async (headers: Record<string, string>): Promise<Response> =>
    await fetch(`http://127.0.0.1:${http.port}/api/events`, { headers, signal: stop.signal });
  const program = await listen({ authorization: `Bearer ${token}` });
  const browser = await listen({ cookie: valueIn(cookie), [halfHeader]: half });
  expect(browser.headers.get('set-cookie')).toContain('Max-Age=604800');
  expect(await browser.text()).toContain(': here');
  expect([program.headers.get('set-cookie'), listening.size]).toEqual([null, 1]);
  stop.abort();
});
