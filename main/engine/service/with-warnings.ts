import { Fault } from '../../contract/faults.ts';
import type { Warning } from '../../contract/reports.ts';

/** A job that failed has no report to put its warnings into: what concerns the server itself is said with the fault. */
export function withWarnings(fault: Fault, warnings: readonly Warning[]): Fault {
  const messages = warnings.filter(({ code }) => code.startsWith('quiesce') || code === 'hook').map(({ message }) => message);
  if (messages.length === 0) return fault;
  const { code, operation, persistence, context } = fault;
  return new Fault(code, [fault.message, ...messages].join('; '), { operation, persistence, context, cause: fault });
}
