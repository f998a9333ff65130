import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import ts from 'typescript';

/**
 * The arrows of the architecture, as rules: services know libs and contracts, libs never know services, and a domain
 * knows the contracts and itself. One `no-restricted-imports` per file set, because a later one replaces an earlier one.
 */
const ALL_SERVICES = ['allocator', 'lease', 'host-agent-gateway', 'build-orchestrator', 'image-factory', 'console'];

const imports = (...patterns) => ['error', { patterns }];
// Ajv gives its newer dialects out of `dist`: that is how they are meant to be imported.
const intoOthers = { group: ['**/dist/**', '!ajv/dist/2020.js', '@berth/*/src/**'], message: 'Import a package by its name; what is not exported is its own affair.' };
const noServices = (names) => ({
  regex: `^@berth/(${names.join('|')})$|(\\.\\./){2,}(services/)?(${names.join('|')})/(src|dist)/`,
  message: 'All that passes between services is on the bus.',
});
// Whatever is neither relative nor the contracts: node:*, nats, typeorm, @nestjs/*, zod.
const ITSELF = 'A domain imports the contracts and itself, nothing else.';
const onlyContracts = { regex: '^(?!@berth/contracts$|\\./|\\.\\./)', message: ITSELF };
/** A relative import that goes up `steps` folders. */
const up = (steps) => ({ regex: `^(\\.\\./){${steps}}`, message: ITSELF });

const pure = (what) => `A decider gets ${what} in its command, so that the same command always decides the same.`;

/** The dashboard is compiled by itself: it has a browser around it. */
const WEB = 'services/console/web';

/**
 * One program over all packages, resolved to their sources: a third of the time that one program per package takes
 * (each reads the types of NestJS and zod again), and nothing has to be built before.
 */
function wholeWorkspace(root) {
  const { config } = ts.readConfigFile(`${root}/tsconfig.base.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
  const files = ts.sys.readDirectory(root, ['.ts'], ['**/node_modules', '**/dist', '**/.*', WEB], ['libs', 'services', 'infra', 'test']);
  return ts.createProgram(files, { ...options, composite: false, incremental: false, noEmit: true, customConditions: ['berth-source'] });
}

function dashboard(root) {
  const config = ts.getParsedCommandLineOfConfigFile(`${root}/${WEB}/tsconfig.json`, {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (problem) => { throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n')); } });
  return ts.createProgram(config.fileNames, { ...config.options, incremental: false, tsBuildInfoFile: undefined });
}

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.berth/**', 'examples/**', 'docs/**'] },
  {
    files: ['**/*.ts'],
    // vitest.*.config.ts belong to no package, so there are no types to ask.
    ignores: ['vitest.*.ts', `${WEB}/**`],
    languageOptions: { parserOptions: { programs: [wholeWorkspace(import.meta.dirname)] } },
  },
  {
    files: [`${WEB}/**/*.ts`, `${WEB}/**/*.tsx`],
    languageOptions: { parserOptions: { programs: [dashboard(import.meta.dirname)] } },
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  {
    files: [`${WEB}/src/**/*.ts`, `${WEB}/src/**/*.tsx`],
    ignores: ['**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ regex: '^@berth/(?!contracts/live$)', allowTypeImports: true, message: 'Only types, and what both ends of a live session share: the packages themselves are made for Node.' }] }],
      // `import { type X }` alone is still an import when it runs.
      '@typescript-eslint/no-import-type-side-effects': 'error',
    },
  },
  {
    files: ['**/*.ts', `${WEB}/**/*.tsx`],
    extends: [tseslint.configs.base],
    ignores: ['vitest.*.ts'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Forgotten promises are how a queue acknowledges before the effect is stored.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      eqeqeq: 'error',
      'no-debugger': 'error',
      'no-restricted-imports': imports(intoOthers),
    },
  },
  {
    files: ['libs/*/src/**/*.ts', 'infra/nats/src/**/*.ts'],
    rules: { 'no-restricted-imports': imports(intoOthers, noServices(ALL_SERVICES)) },
  },
  ...ALL_SERVICES.map((service) => ({
    files: [`services/${service}/src/**/*.ts`],
    rules: { 'no-restricted-imports': imports(intoOthers, noServices(ALL_SERVICES.filter((other) => other !== service))) },
  })),
  {
    files: ['**/domain/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: pure('the time') },
        { selector: 'MemberExpression[object.name="Date"][property.name="now"]', message: pure('the time') },
        { selector: 'CallExpression[callee.name="Date"]', message: pure('the time') },
        { selector: 'MemberExpression[object.name="performance"][property.name="now"]', message: pure('the time') },
        { selector: 'MemberExpression[object.name="Math"][property.name="random"]', message: pure('random values') },
        { selector: 'Identifier[name="randomUUID"]', message: pure('ids') },
        { selector: 'MemberExpression[object.name="process"]', message: pure('settings') },
      ],
    },
  },
  // Specs of a domain may use vitest, fast-check and what they like; the domain itself may not.
  ...[1, 2].map((depth) => ({
    files: [`**/domain/${'*/'.repeat(depth - 1)}*.ts`],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-imports': imports(onlyContracts, up(depth)) },
  })),
  {
    files: ['**/*.mjs'],
    rules: { eqeqeq: 'error', 'no-debugger': 'error', 'no-undef': 'off', 'no-unused-vars': 'error' },
  },
);
