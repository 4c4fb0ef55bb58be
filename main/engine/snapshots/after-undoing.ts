import { asFault, Fault } from '../../contract/faults.ts';

/** What a failed restore ends with, once what it had built is taken away. Where that fails as well the first fault stays what it is, and both are told. */
export async function afterUndoing(error: unknown, undo: () => Promise<void>): Promise<Fault> {
  const fault = asFault(error, 'restore');
  try {
    await undo();
    return fault;
  } catch (second) {
    const left = `${asFault(second, 'restore').message}. The next restore of this folder, or undo, tries that again`;
    return new Fault(fault.code, `${fault.message}; and what it had built could not be removed: ${left}`, {
      operation: fault.operation,
      persistence: fault.persistence,
      context: fault.context,
      cause: fault,
    });
  }
}
