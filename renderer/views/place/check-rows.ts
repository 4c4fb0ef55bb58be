import type { CallReply } from '../../../main/contract/calls.ts';
import type { EventData } from '../../../main/contract/events.ts';
import type { CheckRow } from '../../design/check-row.ts';
import { saidAs } from '../../words/faults.ts';
import { size } from '../../words/format.ts';
import { t, tOf } from '../../words/language.svelte.ts';

export type TestOutcome = 'none' | 'ok' | 'usable' | 'fail';
type Check = CallReply<'destination.test'>[number];
type Step = EventData<'destination-check'>;

/** In the order in which the service makes them. Those that only some places have come when they have run. */
const order = ['connect', 'write', 'read', 'range', 'list', 'overwrite', 'create-once', 'checksum', 'clock', 'delete', 'leftovers'];
const first = new Set(['connect', 'keys']);

/** Without these nothing can be kept there at all. */
const needed: readonly string[] = ['connect', 'keys', 'write', 'read', 'range', 'list', 'overwrite', 'checksum'];

export function outcomeOf(checks: readonly Check[]): TestOutcome {
  if (checks.every(({ ok }) => ok)) return 'ok';
  return checks.some(({ name, ok }) => !ok && needed.includes(name)) ? 'fail' : 'usable';
}

/** What a test under way has told so far: what has ended, what is under way, and what is still to come. */
export function rowsUnderWay(told: readonly Step[]): readonly CheckRow[] {
  const ended = told.flatMap(({ found }) => (found === null ? [] : [found]));
  const last = told.at(-1);
  const now = last === undefined ? 'connect' : last.found === null ? idOf(last.name) : null;
  // That a place could be opened is told by what is tried there next.
  const done = [...(told.some(({ name }) => !first.has(name)) ? [passed('connect', '')] : []), ...ended.map(rowOf)];
  const seen = new Set([...done.map(({ id }) => id), now]);
  const coming = (id: string, outcome: 'running' | 'waiting'): CheckRow => ({ id, outcome, says: say(id, 'ok', t('test.check.other')) });
  return [
    ...done,
    ...(now === null ? [] : [coming(now, 'running')]),
    ...order.filter((id) => !seen.has(id)).map((id) => coming(id, 'waiting')),
  ];
}

/** What was found, in its order, and what was left out after a check without which the others cannot be made. */
export function checkRows(checks: readonly Check[]): readonly CheckRow[] {
  const done = checks.map(rowOf);
  const seen = new Set(done.map(({ id }) => id));
  // A place that could be opened says nothing of that, but all else does.
  const opened: readonly CheckRow[] = checks.some(({ name }) => first.has(name)) ? [] : [passed('connect', '')];
  const left = order.filter((id) => !seen.has(id) && id !== 'connect');
  return [
    ...opened,
    ...done,
    ...left.map((id): CheckRow => ({ id, outcome: 'skipped', says: say(id, 'ok', id), fact: t('test.notTried') })),
  ];
}

function rowOf({ name, ok, message, next, code, say: said }: Check): CheckRow {
  const id = idOf(name);
  if (ok) return passed(id, factOf(id, message));
  const known = said === undefined ? null : saidAs(said);
  const cause = known?.says ?? (code === undefined ? '' : tOf(`fault.${code}.says`, ''));
  return {
    ...{ id, outcome: 'fail', says: say(id, 'fail', t('test.check.other')) },
    cause: [cause, tOf(`test.check.${id}.why`, '')].filter((text) => text !== '').join(' '),
    next: known?.next ?? tOf(`test.check.${id}.next`, code === undefined ? t('fault.unexpected.next') : tOf(`fault.${code}.next`, '')),
    detail: [sentence(message), next].filter((text) => text !== '').join(' '),
  };
}

/** Of its words and its row. */
function idOf(name: string): string {
  return name.replaceAll(' ', '-');
}

function passed(id: string, fact: string): CheckRow {
  return { id, outcome: 'ok', says: say(id, 'ok', t('test.check.other')), fact };
}

function say(id: string, how: 'ok' | 'fail', otherwise: string): string {
  return tOf(`test.check.${id}.${how}`, otherwise);
}

/** Of what was seen, the figures that a person may want. */
function factOf(id: string, message: string): string {
  const figure = /(\d[\d.]*)/.exec(message)?.[1];
  if (id === 'clock' && figure !== undefined) return t('test.fact.clock', { seconds: Number(figure) });
  const space = /([\d.]+) ([MG])iB of ([\d.]+) ([MG])iB/.exec(message)?.slice(1);
  if (id === 'space' && space !== undefined)
    return t('test.fact.space', { free: inBytes(space[0], space[1]), all: inBytes(space[2], space[3]) });
  if (id === 'leftovers' && message.startsWith('no ')) return t('none');
  return id === 'checksum' ? (/the ([a-z0-9-]+) checksum is right/i.exec(message)?.[1] ?? '') : '';
}

/** As every other size on the page. */
function inBytes(figure = '', unit = ''): string {
  return size(Number(figure) * (unit === 'M' ? 2 ** 20 : 2 ** 30));
}

function sentence(text: string): string {
  // A name or a path stays as it is.
  const whole = /^[a-z]+\s/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return whole === '' || /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
