import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { describeBackend } from './suite.ts';

describeBackend('memory', async () => ({ backend: memoryBackend() }), { keepsBytesElsewhere: false });

describeBackend(
  'memory with the limits of a cloud',
  async () => ({
    backend: memoryBackend({ limits: { minPart: 256 * 1024, maxPart: 8 * 1024 * 1024, partMultiple: 256 * 1024, maxParts: 100 } }),
  }),
  { keepsBytesElsewhere: false },
);
