import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { ManagementInterfaces } from '@berth/contracts';
import { DriverFault, endOf, type Driver } from './driver.js';

type Wake = NonNullable<ManagementInterfaces['wake']>;

/** A packet of UDP may get lost, and a machine that is awake does not mind a second one. */
const TIMES = 3;

/** Wake-on-LAN: six bytes of ones, then sixteen times the address of the network card. */
export function magicPacket(mac: string): Buffer {
  const address = Buffer.from(mac.replaceAll(':', ''), 'hex');
  return Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)]);
}

export function wake(at: Wake): Driver {
  return {
    on: (call) =>
      new Promise((resolve, reject) => {
        if (call.signal.aborted) return reject(endOf(call.signal));
        const socket = createSocket(isIPv6(at.address) ? 'udp6' : 'udp4');
        const end = (error?: Error): void => {
          call.signal.removeEventListener('abort', aborted);
          socket.close();
          if (error === undefined) resolve();
          else if (error instanceof DriverFault) reject(error);
          else reject(new DriverFault('unreachable', `No packet can be sent to ${at.address}: ${error.message}.`, '', { cause: error }));
        };
        const aborted = (): void => end(endOf(call.signal));
        call.signal.addEventListener('abort', aborted, { once: true });
        socket.once('error', end);
        socket.bind(0, () => {
          if (!isIPv6(at.address)) socket.setBroadcast(true);
          const send = (left: number): void => {
            if (call.signal.aborted) return;
            socket.send(magicPacket(at.mac), at.port, at.address, (error) => {
              if (error !== null) end(error);
              else if (left > 1) send(left - 1);
              else end();
            });
          };
          send(TIMES);
        });
      }),
  };
}
