import { parentPort } from 'node:worker_threads';
import { failedTask } from './thread-task.ts';
import type { TaskEnd, ThreadTask } from './thread-task.ts';
import { tasks } from './thread-tasks.ts';
import type { ThreadRequest } from './thread-tasks.ts';

/** What every thread that computes begins with: it does one task after another, for as long as it is asked. */
const port = parentPort;
if (port === null) throw new Error('this runs in a worker thread only');

const tell = (message: unknown): void => port.postMessage(message);

async function run({ task: name, about }: ThreadRequest): Promise<TaskEnd> {
  try {
    const { task } = await tasks[name]();
    // What a name and its value have in common, TypeScript does not see.
    return (task as ThreadTask<unknown>)(about, tell);
  } catch (error) {
    return failedTask(error, 'begin a task');
  }
}

port.on('message', (request: ThreadRequest) => void run(request).then(tell));
