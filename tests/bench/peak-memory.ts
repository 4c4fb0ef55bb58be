import { readFileSync } from 'node:fs';

/** The most that a process that still runs had in memory at once, by the kernel's count, in bytes. */
export function peakOf(pid: number | 'self'): number {
  const [, peak = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(peak) * 1024;
}
