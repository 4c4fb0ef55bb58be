import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { showPath } from '../../../engine/archive/byte-path.ts';
import { parseEntry } from '../../../engine/snapshots/read-entry.ts';
import { Monitor } from '../monitor.ts';
import { spoolLines } from '../spool-lines.ts';
import { threadTask } from '../thread-task.ts';
import type { LostLinksTask } from './messages.ts';
import { Plan } from './plan.ts';

/** Finds the further names of files that are lost: their content is stored under the first name only. */
export const task = threadTask('find links', (task: LostLinksTask, tell) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const plan = new Plan(task.plan);
  const lost = new Set<BytePath>();
  for (let file = 0; file < plan.files; file += 1) if (plan.isDamaged(file)) lost.add(plan.path(file));
  const names: string[] = [];
  let first = true;
  for (const line of spoolLines(task.manifest.handle, task.manifest.size)) {
    if (monitor.stopped) return;
    // Few lines are links: the others need not be taken apart.
    if (!first && line.includes('"linkOf"')) {
      const { path, linkOf } = parseEntry(line.toString('utf8'), task.manifest.name);
      if (linkOf !== undefined && lost.has(linkOf)) names.push(showPath(path));
    }
    first = false;
  }
  tell({ kind: 'lost-links', names });
});
