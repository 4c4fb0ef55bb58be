import { asFault, Fault } from '../../contract/faults.ts';

/** `fault`, after the object that it is about, which must not pass for ours, was taken away. That it could not be is added: it stays the news. */
export async function removeWrong(key: string, fault: Fault, remove: () => Promise<void>): Promise<Fault> {
  try {
    await remove();
    return fault;
  } catch (error) {
    return new Fault(fault.code, fault.message, {
      operation: fault.operation,
      persistence: fault.persistence,
      context: { ...fault.context, leftover: key, leftoverReason: asFault(error, 'remove').message },
      cause: fault,
    });
  }
}
