import { writeFileSync } from 'node:fs';

/**
 * What a run of vitest comes to, for `.ci/run`: how many tests passed, and every failure with its first lines, written
 * to the file that BERTH_CI_REPORT names. Failures outside of tests count too: a file that could not be loaded, a hook,
 * something left running, an error that nothing caught.
 */
export default class CiReport {
  onTestRunEnd(modules, unhandled) {
    let passed = 0;
    const failures = [];
    const note = (where, errors) => {
      if (errors.length > 0) failures.push({ where, message: errors.map(({ message, stack }) => firstLines(stack ?? message)).join('\n') });
    };
    for (const module of modules) {
      note(`${module.relativeModuleId}, outside of its tests`, module.errors());
      for (const suite of module.children.allSuites()) note(`${module.relativeModuleId} > ${suite.fullName}, outside of its tests`, suite.errors());
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') passed++;
        // A pending test is one that the run never came to.
        else if (state !== 'skipped') note(`${module.relativeModuleId} > ${test.fullName}`, errors?.length > 0 ? errors : [{ message: `it ended as ${state}` }]);
      }
    }
    note('outside of all test files', unhandled);
    writeFileSync(process.env.BERTH_CI_REPORT, JSON.stringify({ passed, failures }));
  }
}

function firstLines(text) {
  const plain = text.replaceAll(/\x1b\[[0-9;]*m/g, '').trim().split('\n');
  return plain.filter((line) => !line.includes('/node_modules/')).slice(0, 12).join('\n');
}
