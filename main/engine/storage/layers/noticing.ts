import { Fault, type FaultCode } from '../../../contract/faults.ts';
import type { Clock } from '../../ports.ts';
import type { Backend } from '../backend.ts';
import { around, type Call, type Verb } from './around.ts';
import type { Line } from './patience.ts';

/** What nobody but the destination can have said. The others may do without it, as a small upload is kept in memory until complete(): they only renew. */
const answered: ReadonlySet<Verb> = new Set(['stat', 'list', 'read', 'complete', 'remove']);
const answers: ReadonlySet<FaultCode> = new Set(['not-found', 'already-exists', 'range-invalid']);

/** `inner`; when it answers is noted in `line`. */
export function noticing(inner: Backend, line: Line, clock: Clock): Backend {
  const note = ({ verb }: Call): void => {
    if (answered.has(verb) || line.answeredAt !== -Infinity) line.answeredAt = clock.now();
  };
  const noteFault = (about: Call, error: unknown): void => {
    if (error instanceof Fault && answers.has(error.code)) note(about);
  };

  return around(inner, {
    async call(about, run) {
      try {
        const outcome = await run(about.signal);
        note(about);
        return outcome;
      } catch (error) {
        noteFault(about, error);
        throw error;
      }
    },
    async *stream(about, open) {
      try {
        for await (const item of open(about.signal)) {
          note(about);
          yield item;
        }
        note(about);
      } catch (error) {
        noteFault(about, error);
        throw error;
      }
    },
  });
}
