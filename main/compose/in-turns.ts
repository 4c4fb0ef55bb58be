/**
 * Loads modules one after the other and lets the event loop turn after each. A command's modules all at once would hold it up for a tenth of a
 * second, and with it Ctrl-C. A timer, as nothing else lets every phase of the loop have its turn.
 */
export async function inTurns(...loads: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const load of loads) {
    await load();
    await new Promise((resolve) => setTimeout(resolve));
  }
}
