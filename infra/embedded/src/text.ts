/** The last line of a program's output that says something, for use inside an error sentence. */
export function tail(output: string): string {
  return output.trim().split('\n').filter((line) => line.trim() !== '').at(-1)?.trim() ?? 'it said nothing';
}
