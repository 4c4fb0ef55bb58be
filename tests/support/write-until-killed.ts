import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { uploadStream } from '../../main/engine/storage/upload-object.ts';

/** Run as a process: puts one object again and again, each version of one byte throughout, and says when each thing is done. */
const root = process.argv[2] ?? '';
const backend = folderBackend(root);
for (let version = 1; ; version = (version % 250) + 1) {
  const size = 300_000 + version * 1_000;
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let done = 0; done < size; done += 50_000) yield new Uint8Array(Math.min(50_000, size - done)).fill(version);
  }
  await uploadStream(backend, 'server/object', source(), { partSize: 100_000, onPart: () => void process.stdout.write('p') });
  process.stdout.write('c');
}
