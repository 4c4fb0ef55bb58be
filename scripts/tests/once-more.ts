import type { Counts, FileCounts } from './count-reporter.ts';

/** More than these is no matter of chance. */
const mostFiles = 3;

export interface RunOnceMore {
  readonly counts: Counts;
  /** The files that failed at first and passed the second time, as they were at first. */
  readonly recovered: readonly FileCounts[];
}

/**
 * Runs the files of a few failed tests once more, by themselves, and answers the counts with their second result: tests of a browser, of
 * processes and of this machine's services are at the mercy of what else runs on two cores. What failed only once is answered as well, to
 * be told and looked into. A failure that belongs to no file, and those of more than three files, stand.
 */
export async function runOnceMore(first: Counts, run: (files: readonly string[]) => Promise<Counts>): Promise<RunOnceMore> {
  const failed = first.files.filter(({ failures }) => failures.length > 0);
  if (failed.length === 0 || failed.length > mostFiles || first.otherFailures > 0) return { counts: first, recovered: [] };
  const second = await run(failed.map(({ file }) => file));
  const now = (before: FileCounts): FileCounts => second.files.find(({ file }) => file === before.file) ?? before;
  return {
    counts: { files: first.files.map((each) => (failed.includes(each) ? now(each) : each)), otherFailures: second.otherFailures },
    recovered: failed.filter((each) => now(each).failures.length === 0),
  };
}
