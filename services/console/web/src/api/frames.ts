/** A server-sent event. */
export interface Frame {
  id: string | undefined;
  event: string | undefined;
  data: string;
}

/** Reads text/event-stream, however it is cut. Comments only show that somebody is there. */
export async function* framesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame | 'beat', void, undefined> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) yield frameOf(part);
    }
  } finally {
    // Whoever stops reading ends the request with it.
    reader.cancel().catch(() => undefined);
  }
}

function frameOf(text: string): Frame | 'beat' {
  let id: string | undefined;
  let event: string | undefined;
  const data: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice(4);
    else if (line.startsWith('event: ')) event = line.slice(7);
    else if (line.startsWith('data: ')) data.push(line.slice(6));
  }
  return data.length === 0 ? 'beat' : { id, event, data: data.join('\n') };
}
