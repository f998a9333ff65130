import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from './programs.js';

const run = promisify(execFile);

/** Tools that commands want on their PATH, by program and by the packages that have it. */
const TOOLS = {
  git: { package: 'git', why: 'working copies are made with it' },
  ps: { package: 'procps', why: 'the tests look at processes with it, as on hosts without /proc' },
  mcs: { package: 'mono-mcs', why: 'some tests compile with it what runs on Windows hosts' },
  make: { package: 'make', why: 'an example is built with it' },
  // The headers of the C library are a package of their own.
  cc: { package: 'gcc libc6-dev', why: 'an example is compiled with it' },
  chromium: { package: 'chromium', why: 'the tests look at the dashboard with it' },
  // Drivers of management interfaces run these, and the tests run what answers them.
  ipmitool: { package: 'ipmitool', why: 'machines are managed with it over IPMI' },
  ipmi_sim: { package: 'openipmi', why: 'the tests have controllers that speak IPMI of it' },
  snmpget: { package: 'snmp', why: 'outlets of power distribution units are looked at with it' },
  snmpset: { package: 'snmp', why: 'outlets of power distribution units are switched with it' },
  snmpd: { package: 'snmpd', why: 'the tests have power distribution units of it' },
  ping: { package: 'iputils-ping', why: 'machines are looked for with it' },
  // Root filesystems are made with the first, or the second where the first is not; the tests read what comes of it with the others.
  mmdebstrap: { package: 'mmdebstrap', why: 'images are installed with it' },
  debootstrap: { package: 'debootstrap', why: 'images are installed with it' },
  sfdisk: { package: 'fdisk', why: 'disks are parted with it' },
  debugfs: { package: 'e2fsprogs', why: 'disks are made with its mke2fs, and the tests read them with it' },
  mcopy: { package: 'mtools', why: 'disks get with it what boots them' },
  'fsck.vfat': { package: 'dosfstools', why: 'the tests look with it at what boots a disk' },
  // Its firmware is a package of its own.
  'qemu-system-x86_64': { package: 'qemu-system-x86 ovmf', why: 'the tests boot disks with it' },
  skopeo: { package: 'skopeo', why: 'the tests read images for containers with it' },
  umoci: { package: 'umoci', why: 'the tests unpack images for containers with it' },
  python3: { package: 'python3', why: 'an example is written in it' },
} as const;

/**
 * A tool on this machine; as root it is installed when missing. Unlike a server it is not unpacked into the state folder:
 * other programs have to find it too.
 */
export async function findTool(name: keyof typeof TOOLS): Promise<string> {
  const found = findProgram(name);
  if (found !== undefined) return found;
  const tool = TOOLS[name];
  const advice = `${tool.why}: install it with "apt-get install ${tool.package}" (Debian, Ubuntu)`;
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) throw new Error(`${name} is not installed, and ${advice}`);
  try {
    const options = { timeout: 180_000, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } };
    await run('apt-get', ['-q', 'update'], options);
    await run('apt-get', ['-q', '-y', '--no-install-recommends', 'install', ...tool.package.split(' ')], options);
  } catch (error) {
    throw new Error(`${name} is not installed and could not be (${(error as Error).message.split('\n')[0]}), and ${advice}`, { cause: error });
  }
  const installed = findProgram(name);
  if (installed === undefined) throw new Error(`${name} is not on PATH after ${tool.package} was installed, and ${advice}`);
  return installed;
}
