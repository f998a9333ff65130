import { parentPort, workerData } from 'node:worker_threads';
import { ReportFault } from './fault.js';
import { parse } from './parse.js';
import type { WorkerAnswer, WorkerTask } from './thread.js';

// Reads one report and ends. Runs compiled, in a thread that thread.ts starts and bounds.
const { bytes, format, limits } = workerData as WorkerTask;
parentPort!.postMessage(answer());

function answer(): WorkerAnswer {
  try {
    return { report: parse(bytes, format, limits) };
  } catch (error) {
    // The class is lost on the way between threads; any other error ends the thread and is told by that.
    if (error instanceof ReportFault) return { fault: error.sentence, line: error.line };
    throw error;
  }
}
