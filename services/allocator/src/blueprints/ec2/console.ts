import { GetConsoleOutputCommand, type EC2Client } from '@aws-sdk/client-ec2';

/**
 * What an instance has printed on its console; undefined when there is nothing yet. Only newer types show it while they
 * run; of others EC2 has what it took about the time of the boot ("Instance console output", User Guide).
 */
export async function consoleOf(ec2: EC2Client, instance: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  const ask = async (latest: boolean): Promise<string | undefined> => (await ec2.send(new GetConsoleOutputCommand({ InstanceId: instance, ...(latest && { Latest: true }) }), options)).Output;
  let output: string | undefined;
  try {
    output = await ask(true);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Calls do not all know of an instance at the same time, neither after its launch nor after its end.
    if (error.name === 'InvalidInstanceID.NotFound') return undefined;
    if (!/^(UnsupportedOperation|Unsupported)$/.test(error.name)) throw error;
    output = await ask(false);
  }
  return output === undefined || output === '' ? undefined : Buffer.from(output, 'base64');
}

/** Of text at most so many bytes, from the end; a character that is cut is left out. */
export function tail(bytes: Buffer, most: number): string {
  let start = Math.max(0, bytes.length - most);
  while (start > 0 && start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString('utf8');
}
