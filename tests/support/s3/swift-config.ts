export interface SwiftPorts {
  readonly proxy: number;
  readonly object: number;
  readonly container: number;
  readonly account: number;
  readonly cache: number;
}

interface Folders {
  readonly etc: string;
  readonly devices: string;
}

/** Swift's configuration files by name: one replica, one device, each server one process (`workers = 0`). */
export function swiftConfig(folders: Folders, ports: SwiftPorts): Readonly<Record<string, string>> {
  const server = (name: 'account' | 'container' | 'object'): string =>
    `${defaults(folders, ports[name])}
devices = ${folders.devices}
mount_check = false
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`;
  return {
    'swift.conf': `[swift-hash]
swift_hash_path_prefix = holdfast
swift_hash_path_suffix = tests
[storage-policy:0]
name = Policy-0
default = yes
`,
    'account-server.conf': server('account'),
    'container-server.conf': server('container'),
    'object-server.conf': server('object'),
    'proxy-server.conf': proxy(folders, ports),
  };
}

function defaults(folders: Folders, port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${process.env['USER'] ?? 'root'}
swift_dir = ${folders.etc}`;
}

/** In the order that Swift's sample configuration gives for s3api with tempauth. */
const filters = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 'slo', 'dlo', 'symlink'];

function proxy(folders: Folders, ports: SwiftPorts): string {
  return `${defaults(folders, ports.proxy)}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${ports.cache}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test_reader = reading
user_other_owner = owning .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:s3api]
use = egg:swift#s3api
dns_compliant_bucket_names = no
# As AWS; Swift's own default is 1000 of both.
max_upload_part_num = 10000
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n${name === 'slo' ? 'max_manifest_segments = 10000\n' : ''}`).join('')}`;
}
