import { ProblemError } from '../api/problem';

/** A "no", with what is wrong by field. `known` fields are told beside their inputs. */
export function ProblemBox({ error, known = [] }: { error: unknown; known?: readonly string[] }) {
  if (error === null || error === undefined) return null;
  const problem = error instanceof ProblemError ? error : undefined;
  const rest = problem?.errors.filter(({ field }) => !known.includes(field)) ?? [];
  return (
    <div className="problem" role="alert">
      <strong>{problem?.message ?? (error instanceof Error ? error.message : String(error))}</strong>
      {rest.length > 0 && (
        <ul>
          {rest.map(({ field, message }, i) => (
            <li key={i}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
