import type { Progress } from '../contract/reports.ts';
import type { CliHost } from './host.ts';
import { count, formatDuration, formatSize } from './units.ts';

/** At most five times a second: more only flickers. */
const redrawEveryMs = 200;
/** The speed follows the last few seconds; the remaining time all of the phase, as data goes out by the part and over a slow line stands still in between. */
const smoothingMs = 5_000;

const phases: Readonly<Record<Progress['phase'], string>> = {
  scan: 'Looking',
  pack: 'Packing',
  upload: 'Sending',
  download: 'Fetching',
  check: 'Checking',
  swap: 'Putting in place',
};

export interface ProgressLine {
  readonly onProgress: (progress: Progress) => void;
  /** Ends the line; later reports are ignored. */
  readonly finish: () => Promise<void>;
}

/** One line on a terminal's standard error, redrawn in place; without a terminal it prints nothing. */
export function progressLine(host: CliHost): ProgressLine {
  const speed = speedometer();
  const line = liveLine<Progress>(host, (latest) => progressText(latest, speed.perSecond(), speed.mean()));
  return {
    onProgress: (progress) => {
      if (!line.isOpen()) return;
      speed.add(host.now(), progress);
      line.update(progress);
    },
    finish: line.finish,
  };
}

export interface SnapshotLine {
  readonly onSnapshot: (done: number, all: number) => void;
  readonly finish: () => Promise<void>;
}

/** The same for commands that look into one snapshot after the other. */
export function snapshotLine(host: CliHost): SnapshotLine {
  const line = liveLine<string>(host, (text) => text);
  return {
    onSnapshot: (done, all) => line.update(`Looking into snapshots  ${done.toLocaleString('en-US')} of ${all.toLocaleString('en-US')}`),
    finish: line.finish,
  };
}

interface LiveLine<State> {
  readonly isOpen: () => boolean;
  readonly update: (state: State) => void;
  readonly finish: () => Promise<void>;
}

function liveLine<State>(host: CliHost, toText: (latest: State) => string): LiveLine<State> {
  let drawnAt = Number.NEGATIVE_INFINITY;
  let latest: State | null = null;
  let shown = false;
  let open = host.stderr.isTTY && host.env['TERM'] !== 'dumb';

  const draw = (): void => {
    if (latest === null) return;
    const text = toText(latest).slice(0, Math.max(10, host.stderr.columns - 1));
    shown = true;
    // Carriage return, text, erase to the end of the line: no flicker, and a shorter text leaves nothing behind.
    // A terminal that has gone away is no reason to stop the run.
    host.stderr.write(`\r${text}\u001b[K`).catch(() => {
      open = false;
    });
  };

  return {
    isOpen: () => open,
    update: (state) => {
      if (!open) return;
      latest = state;
      const now = host.now();
      // A clock set back must not silence the line until it has caught up.
      if (now - drawnAt < redrawEveryMs && now >= drawnAt) return;
      drawnAt = now;
      draw();
    },
    finish: async () => {
      if (!open) return;
      draw();
      open = false;
      if (shown) await host.stderr.write('\n');
    },
  };
}

/** `Packing  1,204 of 50,000 files  312.0 MiB of 1.0 GiB  30 %  98.4 MiB/s  8 s left`; what is not known is left out. */
export function progressText(progress: Progress, bytesPerSecond: number | null, mean = bytesPerSecond): string {
  const { files, bytes, totalFiles, totalBytes } = progress;
  const parts = [phases[progress.phase]];
  parts.push(totalFiles === null ? count(files, 'file') : `${files.toLocaleString('en-US')} of ${count(totalFiles, 'file')}`);
  parts.push(totalBytes === null ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(totalBytes)}`);
  // Rounded down, so that 100 % means all.
  if (totalBytes !== null && totalBytes > 0) parts.push(`${Math.min(100, Math.floor((bytes / totalBytes) * 100))} %`);
  if (bytesPerSecond !== null && bytesPerSecond > 0) parts.push(`${formatSize(Math.round(bytesPerSecond))}/s`);
  if (mean !== null && mean > 0 && totalBytes !== null && totalBytes > bytes)
    parts.push(`${formatDuration(((totalBytes - bytes) / mean) * 1000)} left`);
  return parts.join('  ');
}

/** Exponentially smoothed bytes per second within one phase; null until there are two points half a second apart. */
export function speedometer(): {
  add: (now: number, progress: Progress) => void;
  perSecond: () => number | null;
  /** Of all of the phase. */
  mean: () => number | null;
} {
  let phase: Progress['phase'] | null = null;
  let at = 0;
  let bytes = 0;
  let rate: number | null = null;
  let begun = { at: 0, bytes: 0 };
  let isTotalKnown = false;
  return {
    add: (now, progress) => {
      // A backup learns its total on the way, when as much as is on its way at once has been read already.
      if (isTotalKnown !== (progress.totalBytes !== null)) {
        isTotalKnown = !isTotalKnown;
        begun = { at: now, bytes: progress.bytes };
      }
      if (progress.phase !== phase || progress.bytes < bytes || now < at) {
        ({ phase, bytes } = progress);
        at = now;
        begun = { at, bytes };
        rate = null;
        return;
      }
      const elapsed = now - at;
      if (elapsed < 500) return;
      const fresh = ((progress.bytes - bytes) / elapsed) * 1000;
      rate = rate === null ? fresh : rate + (fresh - rate) * (1 - Math.exp(-elapsed / smoothingMs));
      at = now;
      bytes = progress.bytes;
    },
    perSecond: () => rate,
    mean: () => (rate === null || at <= begun.at ? null : ((bytes - begun.bytes) / (at - begun.at)) * 1000),
  };
}
