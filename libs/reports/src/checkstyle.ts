import type { LintFinding } from '@berth/contracts';
import { filled, label, message, place } from './clean.js';
import { ReportFault } from './fault.js';
import type { ReportLimits } from './limits.js';
import { LintTally } from './tally.js';
import { readXml } from './xml.js';

/** What checkstyle calls them. One without a severity is an error there too. */
const severities: Readonly<Record<string, LintFinding['severity'] | 'ignore'>> = { error: 'error', fatal: 'error', warning: 'warning', info: 'note', ignore: 'ignore' };

/** Reads checkstyle XML. @throws {ReportFault} */
export function readCheckstyle(text: string, limits: ReportLimits): LintTally {
  const tally = new LintTally();
  let depth = 0;
  let file = '';
  let exception: string | undefined;
  readXml(text, limits, {
    open(element, attributes, line) {
      depth += 1;
      if (depth === 1 && element !== 'checkstyle') {
        throw new ReportFault(`has the root element <${element.slice(0, 80)}>, and checkstyle XML has <checkstyle>: name the format that it has, or the file that is meant`, line);
      }
      if (element === 'file') file = label(attributes['name'] ?? '');
      else if (element === 'exception') exception = '';
      else if (element === 'error') {
        const said = attributes['severity'] ?? 'error';
        const severity = Object.hasOwn(severities, said) ? severities[said]! : 'error';
        if (severity === 'ignore') return;
        tally.add({
          kind: 'lint', ...filled('file', file), ...filled('line', place(attributes['line'])), ...filled('column', place(attributes['column'])),
          ...filled('code', label(attributes['source'] ?? '')), severity, message: message(attributes['message'] ?? ''),
        });
      }
    },
    text(data) {
      if (exception !== undefined && exception.length < 4096) exception += data.slice(0, 4096);
    },
    close(element) {
      depth -= 1;
      // The tool could not look at this file.
      if (element === 'exception' && exception !== undefined) {
        tally.add({ kind: 'lint', ...filled('file', file), severity: 'error', message: message(exception) });
        exception = undefined;
      }
      if (element === 'file') file = '';
    },
  });
  return tally;
}
