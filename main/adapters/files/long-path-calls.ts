import type { FileCalls } from './file-calls.ts';
import { reaching, reachingThroughout } from './held-folders.ts';

/** The same calls, for paths of any length. */
export function longPathCalls(calls: FileCalls): FileCalls {
  return {
    lstat: (path) => reaching(path, (at) => calls.lstat(at)),
    names: (folder) => reachingThroughout(folder, (at) => calls.names(at)),
    readlink: (path) => reaching(path, (at) => calls.readlink(at)),
    readFile: (path) => reachingThroughout(path, (at) => calls.readFile(at)),
    statfs: (path) => reaching(path, (at) => calls.statfs(at)),
    mayChange: (folder) => reaching(folder, (at) => calls.mayChange(at)),
    mkdir: (path, mode) => reaching(path, (at) => calls.mkdir(at, mode)),
    rename: (from, to) => reaching(from, (here) => reaching(to, (there) => calls.rename(here, there))),
    unlink: (path) => reaching(path, (at) => calls.unlink(at)),
    rmdir: (path) => reaching(path, (at) => calls.rmdir(at)),
    link: (existing, path) => reaching(existing, (here) => reaching(path, (there) => calls.link(here, there))),
    symlink: (target, path) => reaching(path, (at) => calls.symlink(target, at)),
    copy: (from, to) => reaching(from, (here) => reaching(to, (there) => calls.copy(here, there))),
    chmod: (path, mode) => reaching(path, (at) => calls.chmod(at, mode)),
    lchown: (path, uid, gid) => reaching(path, (at) => calls.lchown(at, uid, gid)),
    setTimes: (path, mtimeNs) => reaching(path, (at) => calls.setTimes(at, mtimeNs)),
    create: (path) => reaching(path, (at) => calls.create(at)),
    syncFolder: (path) => reaching(path, (at) => calls.syncFolder(at)),
    syncFileSystem: (folder) => calls.syncFileSystem(folder),
  };
}
