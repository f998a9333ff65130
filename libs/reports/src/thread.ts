import type { Report, ReportFormat } from '@berth/contracts';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ReportFault } from './fault.js';
import type { ReportLimits } from './limits.js';

export interface WorkerTask {
  bytes: Uint8Array;
  format: ReportFormat;
  limits: ReportLimits;
}
export type WorkerAnswer = { report: Report } | { fault: string; line: number | undefined };

/** At most so many at a time: each may take its whole heap, and more than the machine has cores gain nothing. */
const AT_ONCE = 2;
const waiting: (() => void)[] = [];
let running = 0;

/** Reads a report in a thread of its own, which ends with it. @throws {ReportFault} */
export async function parseInThread(bytes: Uint8Array, format: ReportFormat, limits: ReportLimits): Promise<Report> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await inThread(bytes, format, limits);
  } finally {
    // Whoever is next takes the place over.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function inThread(bytes: Uint8Array, format: ReportFormat, limits: ReportLimits): Promise<Report> {
  // A copy that is handed over: what a Buffer is a view of may be shared with others.
  const own = new Uint8Array(bytes);
  const task: WorkerTask = { bytes: own, format, limits };
  const worker = new Worker(compiledWorker(), {
    workerData: task, transferList: [own.buffer], execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: limits.heapMiB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  return new Promise<Report>((resolve, reject) => {
    const deadline = setTimeout(() => end(() => reject(new ReportFault(`took longer than ${limits.deadlineMs / 1000} s to read: publish several smaller files`))), limits.deadlineMs);
    const end = (settle: () => void): void => {
      clearTimeout(deadline);
      settle();
      // Has ended already, or is to; there is nothing that it could still say.
      void worker.terminate();
    };
    worker.on('message', (answer: WorkerAnswer) => end(() => ('report' in answer ? resolve(answer.report) : reject(new ReportFault(answer.fault, answer.line)))));
    worker.on('error', (error: NodeJS.ErrnoException) =>
      end(() => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? new ReportFault(`takes more than ${limits.heapMiB} MiB of memory to read: publish several smaller files`) : error)));
    worker.on('exit', (code) => end(() => reject(new Error(`the thread that read a report ended with ${code} and without an answer`))));
  });
}

/**
 * Node runs a thread from a JavaScript file. A service runs from `dist`, where that file is a neighbour; a test runs from the
 * sources, and takes the compiled one as it takes the compiled services.
 */
function compiledWorker(): URL {
  const found = ['./worker.js', '../dist/worker.js'].map((file) => new URL(file, import.meta.url)).find((url) => existsSync(fileURLToPath(url)));
  if (!found) throw new Error('@berth/reports is not compiled, and reads larger reports in a compiled thread: npm run build');
  return found;
}
