/** What Node's thread pool waits for: calls of the file system, and for names of computers. */
const pooled = /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/;
const lookMs = 10;

/**
 * Whether the file system has answered all that it was asked, for which this waits so long. A call on a network drive that is gone never ends, no abort
 * reaches it, and process.exit waits for it.
 */
export async function callsEnded(patienceMs: number): Promise<boolean> {
  const isUnderWay = (): boolean => process.getActiveResourcesInfo().some((name) => pooled.test(name));
  const until = performance.now() + patienceMs;
  while (isUnderWay()) {
    if (performance.now() >= until) return false;
    await new Promise((go) => setTimeout(go, lookMs));
  }
  return true;
}

/**
 * Ends this process at once, whatever its threads wait for: of a SIGINT that nobody handles, which shells call 130, and systemd a clean end. Every later
 * signal would end it as well.
 */
export function endAtOnce(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
  process.kill(process.pid, 'SIGINT');
}
