import './source.css';

/** A text with the numbers of its lines. `of`: of what it is the source */
export function Source({ of, text }: { of: string; text: string }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <div className="source" tabIndex={0} role="group" aria-label={`Source of the ${of}`}>
      <pre className="numbers" aria-hidden>{lines.map((_, i) => i + 1).join('\n')}</pre>
      <pre>{lines.join('\n')}</pre>
    </div>
  );
}
