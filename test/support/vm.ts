import { access, copyFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { tempFolder } from './cleanup.js';
import { serve } from './serve.js';
import { eventually } from './wait.js';
import { freePorts } from './yard.js';

/** A machine that runs from a disk, emulated: its processor is some twenty times slower than this one. */
export interface Vm {
  readonly host: string;
  /** of this machine, that leads to its server of SSH */
  readonly port: number;
  /** What it has said on its serial console by now, the last of it; without what only moves the cursor. */
  console(): string;
  stop(): Promise<void>;
}

const FIRMWARE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const HOST = '127.0.0.1';

/**
 * Boots a disk by UEFI and waits until its server of SSH answers. What it writes is not kept. It is stopped at the end of the file
 * at the latest. @throws Error with the end of its console when it does not come up
 */
export async function bootDisk(disk: string, { timeoutMs = 300_000 } = {}): Promise<Vm> {
  await access(FIRMWARE).catch(() => {
    throw new Error(`${FIRMWARE} is not there, which the tests boot disks with: install it with "apt-get install ovmf"`);
  });
  const folder = await tempFolder('vm');
  const variables = join(folder, 'variables.fd');
  await copyFile(VARIABLES, variables);
  const port = await freePorts(1);
  const machine = ['-nodefaults', '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'qemu64', '-smp', '2', '-m', '512', '-display', 'none', '-serial', 'stdio'];
  const drives = [`if=pflash,format=raw,readonly=on,file=${FIRMWARE}`, `if=pflash,format=raw,file=${variables}`, `if=virtio,format=raw,snapshot=on,file=${disk}`].flatMap((drive) => ['-drive', drive]);
  const network = ['-netdev', `user,id=net,restrict=on,hostfwd=tcp:${HOST}:${port}-:22`, '-device', 'virtio-net-pci,netdev=net,romfile=', '-device', 'virtio-rng-pci'];
  // Where it keeps what is written and not kept.
  const { said, stop } = await serve('qemu-system-x86_64', [...machine, ...drives, ...network], { cwd: folder, env: { TMPDIR: folder } });
  const console = () => said().replaceAll(/\x1b\[[0-9;=]*[A-Za-z]/g, '').replaceAll('\r', '');
  try {
    await eventually(async () => (await greeting(port)).startsWith('SSH-2.0-'), { timeoutMs, everyMs: 500 });
  } catch (error) {
    throw new Error(`the disk did not come up: ${(error as Error).message}. The end of its console:\n${console().slice(-4000)}`, { cause: error });
  }
  return { host: HOST, port, console, stop };
}

/** What a server says first; nothing when there is none. The emulator takes connections before there is one, and ends them. */
function greeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    const end = (text: string) => {
      socket.destroy();
      resolve(text);
    };
    socket.once('data', (data) => end(data.toString()));
    socket.once('error', () => end(''));
    socket.once('close', () => end(''));
    socket.setTimeout(30_000, () => end(''));
  });
}
