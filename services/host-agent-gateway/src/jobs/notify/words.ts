import { unreachable } from '@berth/contracts';
import { oneLine } from '../told-secret.js';
import type { Notice, Words } from './notifier.js';

/** Errors of machines are as long as they like. */
const MOST_ERROR = 1000;

/**
 * A notice in words.
 *
 * @param url where people reach the console, if that is known
 */
export function wordsOf(notice: Notice, url: string | undefined): Words {
  const { task, machine, job, began, requester, to } = notice;
  const link = url === undefined ? undefined : `${url}/jobs/${job}`;
  const subject = oneLine(`${task} of ${machine} ${endOf(notice)}`);
  const details = detailsOf(notice);
  const asked = oneLine(requester, 256);
  return {
    subject,
    line: [`${subject} (asked for by ${asked}, began ${began})`, ...details, ...(link === undefined ? [] : [link])].join('; '),
    text: [`${subject}.`, '', `Task: ${task}`, `Machine: ${machine}`, `Began: ${began}`, `Asked for by: ${asked}`, ...details.map(capital), `Job: ${job}`, ...(link === undefined ? [] : ['', link])].join('\n'),
    to,
  };
}

function endOf(notice: Notice): string {
  if (notice.stage === 'begins') return 'begins';
  switch (notice.status) {
    case 'COMPLETE':
      return 'is complete';
    case 'FAILED':
      return 'has failed';
    case 'CANCELLED':
      return 'was cancelled';
    default:
      return unreachable(notice.status);
  }
}

function detailsOf(notice: Notice): string[] {
  if (notice.stage === 'begins') return [];
  const { error, ticket, outcome } = notice;
  return [
    `the machine is ${outcome === 'unknown' ? 'in a state that is not known' : outcome}`,
    ...(error === undefined ? [] : [`why: ${oneLine(error, MOST_ERROR)}`]),
    ...(ticket ? [`ticket ${oneLine(ticket.id)} ${ticket.how}${ticket.url === undefined ? '' : `: ${oneLine(ticket.url, 2048)}`}`] : []),
  ];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
