import { Fault } from '../../../contract/faults.ts';
import type { UnpackRequest } from '../../../engine/archive/unpacker.ts';
import type { Losses } from './losses.ts';

/** What an unpacking that may not go on over damage ends with: the object, the place in it, and the first file that it costs. */
export function damageFault(request: UnpackRequest, losses: Losses): Fault {
  const [first] = losses.damage;
  const [file] = losses.files;
  const object = first === undefined ? request.manifestName : (request.archives[first.archive]?.key ?? '');
  const what = first?.message ?? 'a file is not what was backed up';
  const files = file === undefined ? '' : `; first file hit: ${file.path} (of ${losses.files.length})`;
  const context = {
    object,
    ...(first?.range ? { offset: first.range[0], length: first.range[1] } : {}),
    ...(file === undefined ? {} : { file: file.path }),
  };
  return new Fault(first?.kind === 'truncated' ? 'truncated' : 'corrupt', `${object}: ${what}${files}`, { operation: 'restore', context });
}
